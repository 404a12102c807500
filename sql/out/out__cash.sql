-- title: cash of every run
-- grain: per run, one row per provider, tenant, currency and horizon; today is horizon 0
-- source: the report of that name; money in major units beside its currency
CREATE TABLE IF NOT EXISTS out.cash (
    run_id VARCHAR NOT NULL,
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    currency VARCHAR,
    horizon_days BIGINT,
    scheduled DECIMAL(20, 4),
    arrears DECIMAL(20, 4),
    pending_covered DECIMAL(20, 4),
    risk_adjusted DECIMAL(20, 4)
);
COMMENT ON TABLE out.cash IS 'Per run: one row per provider, tenant, currency and horizon; today is horizon 0';
