-- title: policies of the latest published run
-- grain: one row per account that the provider gives a plan policy for
-- source: policies.parquet of the run folder
CREATE OR REPLACE VIEW main.v_policies AS
SELECT
    as_of, provider, tenant_id, account_id, currency, allow_due_day, enforce_due_date, day_due, plan_type,
    default_monthly, initial_balance, maximum_term, restricted_override_minimum, tiers, updated_on
FROM out.latest_policies();
COMMENT ON VIEW main.v_policies IS 'Latest published run. One row per account that the provider gives a plan policy for';
