-- title: shape of the payments report
-- grain: one row per payment and account it paid on
-- source: none, the table stays empty: rows lie in the Parquet of each run, and old runs are computed again
CREATE TABLE IF NOT EXISTS out.payments (
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    payment_id VARCHAR,
    plan_id VARCHAR,
    account_id VARCHAR,
    currency VARCHAR,
    amount DECIMAL(20, 4),
    effective_date DATE,
    class VARCHAR,
    provider_status VARCHAR,
    reversed_on DATE,
    reversed_amount DECIMAL(20, 4),
    allocated DECIMAL(20, 4),
    created_on DATE,
    counts_from DATE,
    is_money BOOLEAN,
    is_stale BOOLEAN,
    pending_business_days BIGINT
);
COMMENT ON TABLE out.payments IS 'Shape only: one row per payment and account it paid on; the rows lie in the Parquet of each run';
