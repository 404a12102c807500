-- title: Totality loans, its accounts
-- grain: one row per received loan
-- source: GET loans (list assumed); the balance is in cents
WITH received AS (
    SELECT * FROM totality__loans
),
repeats AS (
    SELECT uuid, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS newest
    FROM received
    WHERE uuid IN (SELECT uuid FROM received GROUP BY uuid HAVING count(*) > 1)
    GROUP BY uuid
),
dated AS (
    SELECT *, civil(updated_at) AS updated_on FROM received
)
SELECT
    'loans' AS source,
    d.page_no,
    d.position,
    d.uuid AS account_id,
    d.customer_uuid AS customer_id,
    home_currency() AS currency,
    'loan' AS kind_of_account,
    nullif(trim(d.external_id), '') AS reference,
    d.status AS account_status,
    d.balance AS balance_units,
    d.updated_on,
    unread('updated_on', d.updated_at, d.updated_on) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN repeats AS r ON r.uuid = d.uuid
