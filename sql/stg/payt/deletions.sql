-- title: Payt deletions
-- grain: one row per deleted id; the latest day if it is listed twice
-- source: GET /v1/{payment_plans,payments,invoices,credit_cases}/deleted, kept for 90 days
WITH received AS (
    SELECT * FROM payt__deleted
),
named AS (
    SELECT
        CASE kind WHEN 'payment_plans' THEN 'plans' WHEN 'payments' THEN 'payments' ELSE 'accounts' END AS entity,
        CASE kind WHEN 'invoices' THEN 'invoice:' || id WHEN 'credit_cases' THEN 'case:' || id ELSE id END AS key,
        coalesce(civil(deleted_at), fetch_day()) AS deleted_on
    FROM received
    WHERE kind IN ('payment_plans', 'payments', 'invoices', 'credit_cases')
)
SELECT entity, key, max(deleted_on) AS deleted_on
FROM named
GROUP BY entity, key
