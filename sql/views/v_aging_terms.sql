-- title: aging by term of the latest published run
-- grain: one row per provider, tenant, currency and bucket of the terms' own age; due, unsatisfied terms of plans in force
-- source: aging_terms.parquet of the run folder
CREATE OR REPLACE VIEW main.v_aging_terms AS
SELECT
    as_of, provider, tenant_id, currency, bucket, terms, plans, outstanding, bucket_no
FROM out.latest_aging_terms();
COMMENT ON VIEW main.v_aging_terms IS 'Latest published run. One row per provider, tenant, currency and bucket of the terms'' own age; due, unsatisfied terms of plans in force';
