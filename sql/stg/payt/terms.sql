-- title: Payt payment terms
-- grain: one row per received term of a payment plan
-- source: payment_terms of GET /v1/payment_plans
WITH received AS (
    SELECT * FROM payt__payment_terms
),
plans AS (
    SELECT page_no, position, is_repeat FROM stg_payt__plans
),
dated AS (
    SELECT
        *,
        civil(due_date) AS due_on,
        civil(payment_date) AS paid_on
    FROM received
)
SELECT
    'payment_plans' AS source,
    d.page_no,
    d.position,
    d.ordinal,
    true AS is_nested,
    true AS is_balance_stated,
    d.plan_id,
    d.id AS term_id,
    home_currency() AS currency,
    d.due_on AS due_date,
    d.total_amount AS amount,
    d.amount_due AS provider_outstanding,
    d.paid_on AS provider_paid_on,
    concat_ws(
        ',', unread('due_date', d.due_date, d.due_on), unread('provider_paid_on', d.payment_date, d.paid_on)
    ) AS unreadable,
    p.is_repeat
FROM dated AS d
INNER JOIN plans AS p ON p.page_no = d.page_no AND p.position = d.position
