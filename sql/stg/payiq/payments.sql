-- title: PayIQ payments, listed ones and those an account shows as pending
-- grain: one row per received payment and account, and per pending payment of an account
-- source: GET Api/Payment (assumed), PendingPayments of POST Api/PaymentPlan/Setup
-- A payment stands once per account: as listed if it is no longer pending, else as the account shows it.
-- One that only the list calls pending is listed and is no money; its PaymentDate is the day it is planned for.
WITH listed AS (
    SELECT
        p.page_no, p.position, 0 AS ordinal, p.id AS payment_id, o.account_id, p.currency_symbol, p.total AS amount,
        p.status, p.create_date, p.payment_date, true AS is_listed
    FROM payiq__payments AS p
    INNER JOIN stg_payiq__payment_owners AS o ON o.page_no = p.page_no AND o.position = p.position
),
shown AS (
    SELECT
        page_no, position, ordinal, transaction_id AS payment_id, account_id, currency_symbol, account_total AS amount,
        status, create_date, NULL AS payment_date, false AS is_listed
    FROM payiq__pending_payments
),
received AS (
    SELECT * FROM listed
    UNION ALL BY NAME
    SELECT * FROM shown
),
classed AS (
    SELECT
        r.*,
        c.class,
        r.told[1] AS created,
        r.told[2] AS paid,
        CASE WHEN NOT r.is_listed THEN 2 WHEN c.class = 'pending' THEN 1 ELSE 3 END AS precedence
    FROM (SELECT *, days_or_midnights([create_date, payment_date]) AS told FROM received) AS r
    LEFT JOIN status_classes AS c ON c.entity = 'payments' AND c.status = r.status
),
planned AS (
    SELECT payment_id, max(paid.day) AS planned_on FROM classed WHERE is_listed AND class = 'pending' GROUP BY payment_id
),
repeats AS (
    SELECT
        payment_id,
        account_id,
        max(struct_pack(precedence, page_no, position, ordinal)) AS newest
    FROM classed
    GROUP BY payment_id, account_id
    HAVING count(*) > 1
)
SELECT
    'portfolio' AS source,
    c.page_no,
    c.position,
    c.payment_id,
    coalesce(c.account_id, '') AS share,
    c.account_id,
    s.currency,
    c.amount,
    coalesce(c.paid.day, c.created.day) AS effective_date,
    CASE WHEN c.paid.day IS NOT NULL THEN c.paid.moment ELSE c.created.moment END AS effective_at,
    coalesce(c.created.day, c.paid.day) AS created_on,
    p.planned_on,
    false AS is_first_sight,
    c.class,
    c.status AS provider_status,
    NOT (c.is_listed AND coalesce(c.class = 'pending', false)) AS is_money,
    c.is_listed,
    concat_ws(
        ',',
        c.created.fault || 'created_on',
        c.paid.fault || 'effective_date',
        CASE WHEN c.account_id IS NULL THEN 'UNKNOWN_ACCOUNT account_id' END
    ) AS unreadable,
    coalesce(struct_pack(c.precedence, c.page_no, c.position, c.ordinal) <> r.newest, false) AS is_repeat
FROM classed AS c
LEFT JOIN currency_symbols AS s ON s.symbol = c.currency_symbol
LEFT JOIN planned AS p ON p.payment_id = c.payment_id
LEFT JOIN repeats AS r ON r.payment_id = c.payment_id AND r.account_id IS NOT DISTINCT FROM c.account_id
