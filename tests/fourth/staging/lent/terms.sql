-- title: terms of plans among neighbours
-- grain: one row per received term
-- source: terms of GET /plans
SELECT
    'plans' AS source,
    page_no,
    position,
    ordinal,
    true AS is_nested,
    true AS is_balance_stated,
    plan_id,
    plan_id || '/' || ordinal AS term_id,
    home_currency() AS currency,
    civil(due) AS due_date,
    amount,
    open AS provider_outstanding,
    civil(paid_on) AS provider_paid_on,
    unread('due_date', due, civil(due)) AS unreadable,
    false AS is_repeat
FROM lent__terms
