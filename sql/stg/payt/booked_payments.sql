-- title: Payt payments, booked on invoices
-- grain: one row per received payment
-- source: GET /v1/payments; total_book_amount is in the administration's currency. The type of a row says what it is;
--         costs are no money of a plan, whatever their type
WITH received AS (
    SELECT * FROM payt__payments
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
        civil(payment_date) AS paid_on,
        coalesce(nullif(cost_type, ''), 'principal') AS kind_of_cost
    FROM received
),
typed AS (
    SELECT d.*, p.status IS NULL AS is_cost, coalesce(c.class, rest.class) AS type_class
    FROM dated AS d
    LEFT JOIN status_classes AS c ON c.entity = 'payments' AND c.status = d.transaction_type
    LEFT JOIN status_classes AS rest ON rest.entity = 'payments' AND rest.status = '*'
    LEFT JOIN status_classes AS p ON p.entity = 'cost_types' AND p.status = d.kind_of_cost
)
SELECT
    'payments' AS source,
    d.page_no,
    d.position,
    d.id AS payment_id,
    '' AS share,
    'invoice:' || d.invoice_id AS account_id,
    home_currency() AS currency,
    coalesce(d.total_book_amount, d.total_amount) AS amount,
    d.paid_on AS effective_date,
    d.paid_on AS created_on,
    false AS is_first_sight,
    CASE WHEN d.is_cost AND d.type_class NOT IN ('written_off', 'reversed') THEN 'cost' ELSE d.type_class END AS class,
    d.transaction_type AS provider_status,
    d.type_class = 'reversed' AS takes_back,
    NOT d.is_cost AS is_money,
    unread('effective_date', d.payment_date, d.paid_on) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM typed AS d
LEFT JOIN repeats AS r ON r.id = d.id
