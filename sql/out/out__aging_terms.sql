-- title: aging by term of every run
-- grain: per run, one row per provider, tenant, currency and bucket of the terms' own age; due, unsatisfied terms of plans in force
-- source: the report of that name; money in major units beside its currency
CREATE TABLE IF NOT EXISTS out.aging_terms (
    run_id VARCHAR NOT NULL,
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    currency VARCHAR,
    bucket VARCHAR,
    terms BIGINT,
    plans BIGINT,
    outstanding DECIMAL(20, 4),
    bucket_no BIGINT
);
COMMENT ON TABLE out.aging_terms IS 'Per run: one row per provider, tenant, currency and bucket of the terms'' own age; due, unsatisfied terms of plans in force';
