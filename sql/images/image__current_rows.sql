-- title: rows that providers still show, as known at a load
-- grain: one row per provider and entity that has any
-- source: versions without those closed by then, and without what was deleted or is gone
WITH plans AS (
    SELECT plan_no, provider
    FROM core.plan_versions
    INNER JOIN core.plan_keys USING (plan_no)
    ANTI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known AND removed_on IS NULL AND deleted_on IS NULL
),
terms AS (   -- of their plan each takes the provider along, so that they are joined once
    SELECT provider
    FROM core.term_versions
    ANTI JOIN (SELECT row_no FROM core.term_closures WHERE load_no <= $known) USING (row_no)
    INNER JOIN plans USING (plan_no)
    WHERE load_no <= $known AND removed_on IS NULL
),
payments AS (
    SELECT payment_no
    FROM core.payment_versions
    ANTI JOIN (SELECT row_no FROM core.payment_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known AND removed_on IS NULL
),
accounts AS (
    SELECT account_no
    FROM core.account_versions
    ANTI JOIN (SELECT row_no FROM core.account_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known AND removed_on IS NULL
),
policies AS (
    SELECT account_no
    FROM core.policy_versions
    ANTI JOIN (SELECT row_no FROM core.policy_closures WHERE load_no <= $known) USING (row_no)
    SEMI JOIN accounts USING (account_no)
    WHERE load_no <= $known
)
SELECT provider, 'plans' AS entity, count(*) AS current_rows
FROM plans
GROUP BY ALL
UNION ALL BY NAME
SELECT provider, 'terms' AS entity, count(*) AS current_rows
FROM terms
GROUP BY ALL
UNION ALL BY NAME
SELECT provider, 'payments' AS entity, count(*) AS current_rows
FROM payments INNER JOIN core.payment_keys USING (payment_no)
GROUP BY ALL
UNION ALL BY NAME
SELECT provider, 'accounts' AS entity, count(*) AS current_rows
FROM accounts INNER JOIN core.account_keys USING (account_no)
GROUP BY ALL
UNION ALL BY NAME
SELECT provider, 'policies' AS entity, count(*) AS current_rows
FROM policies INNER JOIN core.account_keys USING (account_no)
GROUP BY ALL
ORDER BY ALL
