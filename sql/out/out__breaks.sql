-- title: breaks of every run
-- grain: per run, one row per disagreement, with its life over the runs
-- source: the report of that name; money in major units beside its currency
CREATE TABLE IF NOT EXISTS out.breaks (
    run_id VARCHAR NOT NULL,
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    plan_id VARCHAR,
    term_id VARCHAR,
    payment_id VARCHAR,
    account_id VARCHAR,
    code VARCHAR,
    reason VARCHAR,
    side VARCHAR,
    kind VARCHAR,
    severity VARCHAR,
    state VARCHAR,
    expected VARCHAR,
    actual VARCHAR,
    difference DECIMAL(20, 4),
    difference_days BIGINT,
    currency VARCHAR,
    first_seen DATE,
    age_days BIGINT,
    fingerprint VARCHAR,
    explanation VARCHAR,
    reference VARCHAR
);
COMMENT ON TABLE out.breaks IS 'Per run: one row per disagreement, with its life over the runs';
