-- title: Payt credit cases, one kind of account
-- grain: one row per received credit case
-- source: GET /v1/credit_cases
WITH received AS (
    SELECT * FROM payt__credit_cases
),
repeats AS (
    SELECT id, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS newest
    FROM received
    WHERE id IN (SELECT id FROM received GROUP BY id HAVING count(*) > 1)
    GROUP BY id
),
dated AS (
    SELECT
        *,
        told[1] AS updated,
        told[2] AS paused
    FROM (SELECT *, days([updated_at, paused_at]) AS told FROM received)
)
SELECT
    'credit_cases' AS source,
    d.page_no,
    d.position,
    'case:' || d.id AS account_id,
    d.debtor_id AS customer_id,
    coalesce(iso(d.currency_code), home_currency()) AS currency,
    'case' AS kind_of_account,
    nullif(trim(d.credit_case_number), '') AS reference,
    d.open_amount AS balance,
    d.total_amount AS total,
    d.active_payment_plan_id AS active_plan_id,
    d.updated.day AS updated_on,
    d.paused.day AS paused_on,
    concat_ws(
        ',', d.updated.fault || 'updated_on', d.paused.fault || 'paused_on'
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN repeats AS r ON r.id = d.id
