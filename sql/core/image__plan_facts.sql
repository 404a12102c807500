-- title: what policies are held against, as known at a load
-- grain: one row per plan
-- source: core.plan_versions without those closed by then, creation_balances
WITH versions AS (
    SELECT *
    FROM core.plan_versions
    ANTI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known
)
SELECT
    v.plan_no,
    v.currency,
    v.plan_type,
    v.fires_on_due_day,
    v.rule.is_partial,
    b.balance_minor AS balance_at_creation_minor
FROM versions AS v
LEFT JOIN creation_balances AS b ON b.plan_no = v.plan_no
ORDER BY v.plan_no
