-- title: plans that anything became known of between two loads
-- grain: one row per plan
-- source: versions, closures, links and pauses; a plan is touched where one is that shares an account with it, in any
--         number of steps, since money and claims on an account are of all its plans. Plans are even nodes, accounts odd.
WITH RECURSIVE new_plans AS (
    SELECT plan_no FROM core.plan_versions WHERE load_no > $after AND load_no <= $until
    UNION
    SELECT v.plan_no
    FROM core.plan_versions AS v
    SEMI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no > $after AND load_no <= $until) USING (row_no)
    UNION
    SELECT plan_no FROM core.term_versions WHERE load_no > $after AND load_no <= $until
    UNION
    SELECT v.plan_no
    FROM core.term_versions AS v
    SEMI JOIN (SELECT row_no FROM core.term_closures WHERE load_no > $after AND load_no <= $until) USING (row_no)
    UNION
    SELECT plan_no FROM core.plan_links WHERE load_no > $after AND load_no <= $until
    UNION
    SELECT v.plan_no
    FROM core.customer_pauses AS c
    INNER JOIN core.plan_keys AS k ON k.provider = c.provider AND k.tenant_id = c.tenant_id
    INNER JOIN core.plan_versions AS v ON v.plan_no = k.plan_no AND v.customer_id = c.customer_id
    WHERE c.load_no > $after AND c.load_no <= $until
),
new_payments AS (
    SELECT payment_no, account_no FROM core.payment_versions WHERE load_no > $after AND load_no <= $until
    UNION
    SELECT v.payment_no, v.account_no
    FROM core.payment_versions AS v
    SEMI JOIN (SELECT row_no FROM core.payment_closures WHERE load_no > $after AND load_no <= $until) USING (row_no)
),
new_accounts AS (
    SELECT account_no FROM core.account_versions WHERE load_no > $after AND load_no <= $until
    UNION
    SELECT v.account_no
    FROM core.account_versions AS v
    SEMI JOIN (SELECT row_no FROM core.account_closures WHERE load_no > $after AND load_no <= $until) USING (row_no)
    UNION
    SELECT account_no FROM new_payments WHERE account_no IS NOT NULL
),
named AS (
    SELECT DISTINCT plan_no, linked_payment_no AS payment_no
    FROM core.term_versions
    WHERE load_no <= $until AND linked_payment_no IS NOT NULL
),
seeds AS (
    SELECT plan_no * 2 AS node FROM new_plans
    UNION
    SELECT account_no * 2 + 1 FROM new_accounts
    UNION
    SELECT plan_no * 2 FROM named SEMI JOIN new_payments USING (payment_no)
),
pairs AS (
    SELECT plan_no * 2 AS one, account_no * 2 + 1 AS other FROM core.plan_links WHERE load_no <= $until
    UNION
    SELECT plan_no * 2, account_no * 2 + 1
    FROM core.plan_versions
    WHERE load_no <= $until AND account_no IS NOT NULL
    UNION
    SELECT account_no * 2 + 1, parent_account_no * 2 + 1
    FROM core.account_versions
    WHERE load_no <= $until AND parent_account_no IS NOT NULL
    UNION
    SELECT n.plan_no * 2, v.account_no * 2 + 1
    FROM named AS n
    INNER JOIN core.payment_versions AS v USING (payment_no)
    WHERE v.load_no <= $until AND v.account_no IS NOT NULL
),
edges AS (
    SELECT one, other FROM pairs UNION ALL SELECT other, one FROM pairs
),
reached AS (
    SELECT node FROM seeds
    UNION
    SELECT e.other FROM reached AS r INNER JOIN edges AS e ON e.one = r.node
)
SELECT k.plan_no, k.provider, k.tenant_id, k.plan_id
FROM reached AS r
INNER JOIN core.plan_keys AS k ON k.plan_no * 2 = r.node
ORDER BY k.plan_no
