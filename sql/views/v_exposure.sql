-- title: exposure of the latest published run
-- grain: one row per provider, tenant, currency and measure
-- source: exposure.parquet of the run folder
CREATE OR REPLACE VIEW main.v_exposure AS
SELECT
    as_of, provider, tenant_id, currency, metric, plans, amount, share
FROM out.latest_exposure();
COMMENT ON VIEW main.v_exposure IS 'Latest published run. One row per provider, tenant, currency and measure';
