-- title: kept of the latest published run
-- grain: one row per provider, tenant, currency and look-back window
-- source: kept.parquet of the run folder
CREATE OR REPLACE VIEW main.v_kept AS
SELECT
    as_of, provider, tenant_id, currency, window_days, evaluated, kept, partly_kept, broken, kept_rate_count,
    kept_rate_amount
FROM out.latest_kept();
COMMENT ON VIEW main.v_kept IS 'Latest published run. One row per provider, tenant, currency and look-back window';
