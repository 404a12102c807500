-- title: exposure of every run
-- grain: per run, one row per provider, tenant, currency and measure
-- source: the report of that name; money in major units beside its currency
CREATE TABLE IF NOT EXISTS out.exposure (
    run_id VARCHAR NOT NULL,
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    currency VARCHAR,
    metric VARCHAR,
    plans BIGINT,
    amount DECIMAL(20, 4),
    share DECIMAL(20, 6)
);
COMMENT ON TABLE out.exposure IS 'Per run: one row per provider, tenant, currency and measure';
