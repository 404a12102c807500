-- title: kept of every run
-- grain: per run, one row per provider, tenant, currency and look-back window
-- source: the report of that name; money in major units beside its currency
CREATE TABLE IF NOT EXISTS out.kept (
    run_id VARCHAR NOT NULL,
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    currency VARCHAR,
    window_days BIGINT,
    evaluated BIGINT,
    kept BIGINT,
    partly_kept BIGINT,
    broken BIGINT,
    kept_rate_count DECIMAL(20, 6),
    kept_rate_amount DECIMAL(20, 6)
);
COMMENT ON TABLE out.kept IS 'Per run: one row per provider, tenant, currency and look-back window';
