-- title: roll of the latest published run
-- grain: one row per provider, tenant, currency, earlier date and pair of buckets
-- source: roll.parquet of the run folder
CREATE OR REPLACE VIEW main.v_roll AS
SELECT
    as_of, provider, tenant_id, currency, from_as_of, from_bucket, to_bucket, plans, opening, from_bucket_no,
    to_bucket_no
FROM out.latest_roll();
COMMENT ON VIEW main.v_roll IS 'Latest published run. One row per provider, tenant, currency, earlier date and pair of buckets';
