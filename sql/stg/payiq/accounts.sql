-- title: PayIQ billing accounts
-- grain: one row per account of a received setup
-- source: Accounts of POST Api/PaymentPlan/Setup; the due date is a UTC timestamp
WITH received AS (
    SELECT * FROM payiq__setup_accounts
),
repeats AS (
    SELECT
        account_id,
        max_by(
            struct_pack(page_no, position, ordinal),
            (coalesce(moment(update_date), '-infinity'), page_no, position, ordinal)
        ) AS newest
    FROM received
    WHERE account_id IN (SELECT account_id FROM received GROUP BY account_id HAVING count(*) > 1)
    GROUP BY account_id
),
dated AS (
    SELECT
        *,
        told[1] AS due,
        told[2] AS updated
    FROM (SELECT *, days_or_midnights([due_date, update_date]) AS told FROM received)
)
SELECT
    'portfolio' AS source,
    d.page_no,
    d.position,
    d.account_id,
    s.currency,
    'billing' AS kind_of_account,
    nullif(trim(d.account_number), '') AS reference,
    d.amount_due,
    d.due.day AS account_due_date,
    d.stopped AS is_stopped,
    d.existing_payment_plan_id AS active_plan_id,
    d.updated.day AS updated_on,
    concat_ws(',', d.due.fault || 'account_due_date', d.updated.fault || 'updated_on') AS unreadable,
    coalesce(struct_pack(d.page_no, d.position, d.ordinal) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN currency_symbols AS s ON s.symbol = d.currency_symbol
LEFT JOIN repeats AS r ON r.account_id = d.account_id
