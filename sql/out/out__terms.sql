-- title: shape of the terms report
-- grain: one row per term of a plan that exists on the as-of date
-- source: none, the table stays empty: rows lie in the Parquet of each run, and old runs are computed again
CREATE TABLE IF NOT EXISTS out.terms (
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    plan_id VARCHAR,
    term_id VARCHAR,
    term_no BIGINT,
    flags VARCHAR,
    nominal_due_date DATE,
    due_date DATE,
    currency VARCHAR,
    amount DECIMAL(20, 4),
    waived DECIMAL(20, 4),
    received DECIMAL(20, 4),
    outstanding DECIMAL(20, 4),
    pending DECIMAL(20, 4),
    provider_outstanding DECIMAL(20, 4),
    state VARCHAR,
    satisfied_on DATE,
    days_late BIGINT,
    expected_due_date DATE,
    expected_amount DECIMAL(20, 4)
);
COMMENT ON TABLE out.terms IS 'Shape only: one row per term of a plan that exists on the as-of date; the rows lie in the Parquet of each run';
