-- title: plan_accounts of the latest published run
-- grain: one row per plan and account it was ever seen to cover
-- source: plan_accounts.parquet of the run folder
CREATE OR REPLACE VIEW main.v_plan_accounts AS
SELECT
    as_of, provider, tenant_id, plan_id, account_id, linked_on, reference
FROM out.latest_plan_accounts();
COMMENT ON VIEW main.v_plan_accounts IS 'Latest published run. One row per plan and account it was ever seen to cover';
