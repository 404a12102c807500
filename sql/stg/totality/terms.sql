-- title: Totality scheduled payments, the terms of its plans
-- grain: one row per received scheduled payment; plan_id is null for those of no plan
-- source: GET scheduled-payments (list and link to the processed payment assumed); money is in cents
WITH received AS (
    SELECT * FROM totality__scheduled_payments
),
repeats AS (
    SELECT uuid, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS newest
    FROM received
    WHERE uuid IN (SELECT uuid FROM received GROUP BY uuid HAVING count(*) > 1)
    GROUP BY uuid
),
dated AS (
    SELECT *, civil(payment_date) AS due_on, civil(updated_at) AS updated_on FROM received
)
SELECT
    'scheduled_payments' AS source,
    d.page_no,
    d.position,
    d.ordinal,
    false AS is_nested,
    false AS is_balance_stated,
    d.payment_plan_uuid AS plan_id,
    d.uuid AS term_id,
    home_currency() AS currency,
    d.due_on AS due_date,
    d.amount AS amount_units,
    d.updated_on,
    d.payment_uuid AS linked_payment_id,
    concat_ws(
        ',', unread('due_date', d.payment_date, d.due_on), unread('updated_on', d.updated_at, d.updated_on)
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN repeats AS r ON r.uuid = d.uuid
