-- title: Payt invoices, one kind of account
-- grain: one row per received invoice
-- source: GET /v1/invoices; total and open amount are in the invoice's own currency
WITH received AS (
    SELECT * FROM payt__invoices
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
        told[1] AS due,
        told[2] AS updated,
        told[3] AS paused
    FROM (SELECT *, days([due_date, updated_at, paused_at]) AS told FROM received)
)
SELECT
    'invoices' AS source,
    d.page_no,
    d.position,
    'invoice:' || d.id AS account_id,
    'case:' || d.active_credit_case_id AS parent_account_id,
    d.debtor_id AS customer_id,
    coalesce(iso(d.currency_code), home_currency()) AS currency,
    'invoice' AS kind_of_account,
    nullif(trim(d.invoice_number), '') AS reference,
    d.open_amount AS balance,
    d.total_amount AS total,
    d.due.day AS account_due_date,
    d.active_payment_plan_id AS active_plan_id,
    d.updated.day AS updated_on,
    d.paused.day AS paused_on,
    concat_ws(
        ',',
        d.due.fault || 'account_due_date',
        d.updated.fault || 'updated_on',
        d.paused.fault || 'paused_on'
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN repeats AS r ON r.id = d.id
