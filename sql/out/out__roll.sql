-- title: roll of every run
-- grain: per run, one row per provider, tenant, currency, earlier date and pair of buckets
-- source: the report of that name; money in major units beside its currency
CREATE TABLE IF NOT EXISTS out.roll (
    run_id VARCHAR NOT NULL,
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    currency VARCHAR,
    from_as_of DATE,
    from_bucket VARCHAR,
    to_bucket VARCHAR,
    plans BIGINT,
    opening DECIMAL(20, 4),
    from_bucket_no BIGINT,
    to_bucket_no BIGINT
);
COMMENT ON TABLE out.roll IS 'Per run: one row per provider, tenant, currency, earlier date and pair of buckets';
