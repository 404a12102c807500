-- title: which account of a customer a listed PayIQ payment was asked for
-- grain: one row per received payment and account; account_id is null where the list names none
-- source: GET Api/Payment (assumed) by ReferenceNumber; without one, the invoice payments tell the accounts
WITH payments AS (
    SELECT page_no, position, coalesce(reference_number, '') AS reference, coalesce(other_data, '') AS other
    FROM payiq__payments
),
accounts AS (
    SELECT
        coalesce(reference_number, '') AS reference,
        coalesce(other_data, '') AS other,
        account_id,
        account_number,
        (page_no, position, ordinal) AS place
    FROM payiq__setup_accounts
),
asked AS (
    SELECT
        reference,
        other,
        count(DISTINCT account_id) AS accounts,
        min_by(account_id, place) AS first_account,
        min_by(account_number, place) AS first_number,
        min_by(account_id, place) FILTER (account_number = reference) AS named_account
    FROM accounts
    GROUP BY reference, other
),
one AS (
    SELECT
        p.page_no,
        p.position,
        p.reference,
        p.other,
        coalesce(a.named_account, CASE WHEN p.reference <> '' OR a.accounts = 1 THEN a.first_account END) AS account_id,
        CASE WHEN p.reference <> '' THEN p.reference ELSE a.first_number END AS account_number
    FROM payments AS p
    LEFT JOIN asked AS a ON a.reference = p.reference AND a.other = p.other
),
several AS (
    SELECT DISTINCT o.page_no, o.position, a.account_id, a.account_number
    FROM one AS o
    INNER JOIN payiq__invoice_payments AS i ON i.page_no = o.page_no AND i.position = o.position
    INNER JOIN accounts AS a ON a.reference = o.reference AND a.other = o.other AND a.account_number = i.reference_number
    WHERE o.account_id IS NULL
)
SELECT page_no, position, account_id, account_number
FROM one
WHERE account_id IS NOT NULL OR (page_no, position) NOT IN (SELECT (page_no, position) FROM several)
UNION ALL
SELECT page_no, position, account_id, account_number
FROM several
