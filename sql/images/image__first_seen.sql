-- title: rows first seen after one load and up to another
-- grain: one row per row of an entity, by its key, with the newest load in between that told of it
-- source: versions and links of these loads; a plan that has no version of its own there is told of by its accounts,
--         which give it customer, currency and what the provider asks for; pauses by accounts and customers
WITH plans AS (
    SELECT plan_no, max(load_no) AS load_no
    FROM core.plan_versions
    WHERE load_no > $since AND load_no <= $known
    GROUP BY plan_no
),
accounts AS (
    SELECT account_no, max(load_no) AS load_no
    FROM core.account_versions
    WHERE load_no > $since AND load_no <= $known
    GROUP BY account_no
),
links AS (
    SELECT plan_no, account_no FROM core.plan_links WHERE load_no <= $known
    UNION
    SELECT plan_no, account_no FROM core.plan_versions WHERE load_no <= $known AND account_no IS NOT NULL
),
of_accounts AS (
    SELECT l.plan_no, max(a.load_no) AS load_no
    FROM accounts AS a
    INNER JOIN links AS l ON l.account_no = a.account_no
    GROUP BY l.plan_no
),
of_customers AS (
    SELECT v.plan_no, max(c.load_no) AS load_no
    FROM core.customer_pauses AS c
    INNER JOIN core.plan_keys AS k ON k.provider = c.provider AND k.tenant_id = c.tenant_id
    INNER JOIN core.plan_versions AS v ON v.plan_no = k.plan_no AND v.customer_id = c.customer_id
    WHERE c.load_no > $since AND c.load_no <= $known
    GROUP BY v.plan_no
)
SELECT 'accounts' AS entity, NULL::BIGINT AS plan_no, account_no, NULL::BIGINT AS payment_no, NULL::VARCHAR AS term_id, load_no
FROM accounts
UNION ALL BY NAME
SELECT 'plans' AS entity, plan_no, load_no FROM plans
UNION ALL BY NAME
SELECT 'plans' AS entity, plan_no, load_no FROM of_accounts ANTI JOIN plans USING (plan_no)
UNION ALL BY NAME
SELECT 'plan_accounts' AS entity, plan_no, account_no, min(load_no) AS load_no
FROM core.plan_links
WHERE load_no > $since AND load_no <= $known
GROUP BY plan_no, account_no
UNION ALL BY NAME
SELECT 'terms' AS entity, plan_no, term_id, max(load_no) AS load_no
FROM core.term_versions
WHERE load_no > $since AND load_no <= $known
GROUP BY plan_no, term_id
UNION ALL BY NAME
SELECT 'payments' AS entity, payment_no, max(load_no) AS load_no
FROM core.payment_versions
WHERE load_no > $since AND load_no <= $known
GROUP BY payment_no
UNION ALL BY NAME
SELECT 'pauses' AS entity, plan_no, max(load_no) AS load_no
FROM (SELECT plan_no, load_no FROM of_accounts UNION ALL SELECT plan_no, load_no FROM of_customers)
GROUP BY plan_no
ORDER BY ALL
