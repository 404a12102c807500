-- title: cash of the latest published run
-- grain: one row per provider, tenant, currency and horizon; today is horizon 0
-- source: cash.parquet of the run folder
CREATE OR REPLACE VIEW main.v_cash AS
SELECT
    as_of, provider, tenant_id, currency, horizon_days, scheduled, arrears, pending_covered, risk_adjusted
FROM out.latest_cash();
COMMENT ON VIEW main.v_cash IS 'Latest published run. One row per provider, tenant, currency and horizon; today is horizon 0';
