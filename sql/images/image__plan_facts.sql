-- title: what policies are held against, as known at a load
-- grain: one row per plan
-- source: core.plan_versions without those closed by then, creation_balances; closed ones for the day it was gone
WITH versions AS (
    SELECT *
    FROM core.plan_versions
    ANTI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known
),
gone AS (
    SELECT plan_no, max(removed_on) AS was_gone_on
    FROM core.plan_versions
    SEMI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known AND removed_on IS NOT NULL
    GROUP BY plan_no
)
SELECT
    v.plan_no,
    v.currency,
    v.plan_type,
    v.fires_on_due_day,
    v.rule.is_partial,
    b.balance_minor AS balance_at_creation_minor,
    CASE WHEN v.removed_on IS NULL THEN g.was_gone_on END AS was_gone_on
FROM versions AS v
LEFT JOIN creation_balances AS b ON b.plan_no = v.plan_no
LEFT JOIN gone AS g ON g.plan_no = v.plan_no
ORDER BY v.plan_no
