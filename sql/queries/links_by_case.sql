-- title: plans of invoices that are part of a credit case
-- grain: one row per plan and account
-- source: open account versions of one tenant; the case names the plan, the invoice names the case
WITH tenant AS (
    SELECT account_no FROM core.account_keys WHERE provider = $provider AND tenant_id = $tenant_id
),
open AS (
    SELECT v.account_no, v.parent_account_no, v.active_plan_no
    FROM core.account_versions AS v
    SEMI JOIN tenant USING (account_no)
    ANTI JOIN core.account_closures USING (row_no)
    WHERE v.parent_account_no IS NOT NULL OR v.active_plan_no IS NOT NULL
)
SELECT c.active_plan_no AS plan_no, i.account_no
FROM open AS i
INNER JOIN open AS c ON c.account_no = i.parent_account_no
WHERE c.active_plan_no IS NOT NULL
