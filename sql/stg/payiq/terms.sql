-- title: PayIQ plans' own payments; the terms of other plans are derived when they are admitted
-- grain: one row per own payment of a received plan
-- source: Payments of GET Api/PaymentPlan (assumed); ids are ours, in order of date
WITH received AS (
    SELECT * FROM payiq__plan_payments
),
plans AS (
    SELECT page_no, position, plan_id, currency, is_repeat FROM stg_payiq__plans
),
dated AS (
    SELECT *, civil_or_midnight(date) AS due_on FROM received
),
numbered AS (
    SELECT *, row_number() OVER (PARTITION BY page_no, position ORDER BY due_on, ordinal) AS sequence FROM dated
)
SELECT
    'portfolio' AS source,
    n.page_no,
    n.position,
    n.ordinal,
    true AS is_nested,
    false AS is_balance_stated,
    p.plan_id,
    printf('%s-%03d', p.plan_id, n.sequence) AS term_id,
    n.sequence AS term_sequence,
    p.currency,
    n.due_on AS nominal_due_date,
    n.due_on AS due_date,
    n.amount,
    unread('due_date', n.date, n.due_on) AS unreadable,
    p.is_repeat
FROM numbered AS n
INNER JOIN plans AS p ON p.page_no = n.page_no AND p.position = n.position
