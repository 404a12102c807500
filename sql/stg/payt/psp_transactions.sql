-- title: Payt payment-service transactions
-- grain: one row per received transaction; over several invoices it is one row with the smallest invoice
-- source: GET /v1/psp_transactions; settled ones come again as payments, so only pending ones are money
WITH received AS (
    SELECT * FROM payt__psp_transactions
),
repeats AS (
    SELECT id, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS newest
    FROM received
    WHERE id IN (SELECT id FROM received GROUP BY id HAVING count(*) > 1)
    GROUP BY id
),
first_invoice AS (
    SELECT page_no, position, min_by(invoice_id, (coalesce(try_cast(invoice_id AS HUGEINT), 0), invoice_id)) AS invoice_id
    FROM payt__psp_invoices
    GROUP BY page_no, position
),
dated AS (
    SELECT
        *,
        told[1] AS updated,
        told[2] AS paid
    FROM (SELECT *, days([updated_at, paid_at]) AS told FROM received)
)
SELECT
    'psp_transactions' AS source,
    d.page_no,
    d.position,
    'psp:' || d.id AS payment_id,
    '' AS share,
    'invoice:' || i.invoice_id AS account_id,
    home_currency() AS currency,
    CASE WHEN iso(d.currency_code) = home_currency() THEN d.amount ELSE d.book_amount END AS amount,
    coalesce(d.paid.day, d.updated.day) AS effective_date,
    CASE WHEN d.paid.day IS NOT NULL THEN d.paid.moment ELSE d.updated.moment END AS effective_at,
    d.updated.day AS created_on,
    true AS is_first_sight,
    c.class,
    d.status AS provider_status,
    d.updated.day AS reversed_on,
    d.updated.moment AS reversed_at,
    coalesce(c.class = 'pending', false) AS is_money,
    concat_ws(
        ',', d.updated.fault || 'created_on', d.paid.fault || 'effective_date'
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN first_invoice AS i ON i.page_no = d.page_no AND i.position = d.position
LEFT JOIN status_classes AS c ON c.entity = 'psp_transactions' AND c.status = d.status
LEFT JOIN repeats AS r ON r.id = d.id
