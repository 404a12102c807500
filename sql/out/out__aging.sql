-- title: aging of every run
-- grain: per run, one row per provider, tenant, currency and delinquency bucket; plans in force only
-- source: the report of that name; money in major units beside its currency
CREATE TABLE IF NOT EXISTS out.aging (
    run_id VARCHAR NOT NULL,
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    currency VARCHAR,
    bucket VARCHAR,
    plans BIGINT,
    terms BIGINT,
    amount_due DECIMAL(20, 4),
    overdue DECIMAL(20, 4),
    outstanding DECIMAL(20, 4),
    bucket_no BIGINT
);
COMMENT ON TABLE out.aging IS 'Per run: one row per provider, tenant, currency and delinquency bucket; plans in force only';
