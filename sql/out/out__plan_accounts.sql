-- title: shape of the plan_accounts report
-- grain: one row per plan and account it was ever seen to cover
-- source: none, the table stays empty: rows lie in the Parquet of each run, and old runs are computed again
CREATE TABLE IF NOT EXISTS out.plan_accounts (
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    plan_id VARCHAR,
    account_id VARCHAR,
    linked_on DATE,
    reference VARCHAR
);
COMMENT ON TABLE out.plan_accounts IS 'Shape only: one row per plan and account it was ever seen to cover; the rows lie in the Parquet of each run';
