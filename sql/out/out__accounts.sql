-- title: shape of the accounts report
-- grain: one row per account, as its newest version known says
-- source: none, the table stays empty: rows lie in the Parquet of each run, and old runs are computed again
CREATE TABLE IF NOT EXISTS out.accounts (
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    account_id VARCHAR,
    customer_id VARCHAR,
    currency VARCHAR,
    kind VARCHAR,
    status VARCHAR,
    balance DECIMAL(20, 4),
    amount_due DECIMAL(20, 4),
    due_date DATE,
    is_stopped BOOLEAN,
    updated_on DATE,
    reference VARCHAR
);
COMMENT ON TABLE out.accounts IS 'Shape only: one row per account, as its newest version known says; the rows lie in the Parquet of each run';
