-- title: aging of the latest published run
-- grain: one row per provider, tenant, currency and delinquency bucket; plans in force only
-- source: aging.parquet of the run folder
CREATE OR REPLACE VIEW main.v_aging AS
SELECT
    as_of, provider, tenant_id, currency, bucket, plans, terms, amount_due, overdue, outstanding, bucket_no
FROM out.latest_aging();
COMMENT ON VIEW main.v_aging IS 'Latest published run. One row per provider, tenant, currency and delinquency bucket; plans in force only';
