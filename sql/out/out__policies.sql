-- title: shape of the policies report
-- grain: one row per account that the provider gives a plan policy for
-- source: none, the table stays empty: rows lie in the Parquet of each run, and old runs are computed again
CREATE TABLE IF NOT EXISTS out.policies (
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    account_id VARCHAR,
    currency VARCHAR,
    allow_due_day BOOLEAN,
    enforce_due_date BOOLEAN,
    day_due BIGINT,
    plan_type VARCHAR,
    default_monthly DECIMAL(20, 4),
    initial_balance DECIMAL(20, 4),
    maximum_term BIGINT,
    restricted_override_minimum DECIMAL(20, 4),
    tiers STRUCT(minimum DECIMAL(20, 4), maximum DECIMAL(20, 4), payment_count BIGINT, restricted_minimum DECIMAL(20, 4))[],
    updated_on DATE
);
COMMENT ON TABLE out.policies IS 'Shape only: one row per account that the provider gives a plan policy for; the rows lie in the Parquet of each run';
