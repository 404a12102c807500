-- title: plans among neighbours
-- grain: one row per received plan
-- source: GET /plans
SELECT
    'plans' AS source,
    page_no,
    position,
    id AS plan_id,
    neighbour AS customer_id,
    home_currency() AS currency,
    'PROVIDER_BALANCE' AS basis,
    civil(agreed) AS created_on,
    true AS is_active,
    'BY_DATES' AS cadence,
    false AS is_derived,
    unread('created_on', agreed, civil(agreed)) AS unreadable,
    false AS is_repeat
FROM lent__plans
