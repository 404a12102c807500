-- title: life of breaks over the runs
-- grain: one row per break that a published run ever showed, as it was last seen; replaced whole
CREATE TABLE IF NOT EXISTS meta.break_register (
    fingerprint VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    plan_id VARCHAR,
    term_id VARCHAR,
    payment_id VARCHAR,
    account_id VARCHAR,
    code VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    side VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    declared_severity VARCHAR NOT NULL,
    least_severity VARCHAR,
    expected VARCHAR,
    actual VARCHAR,
    difference_minor BIGINT,
    difference_days BIGINT,
    break_currency VARCHAR,
    explanation VARCHAR NOT NULL,
    payload_hash VARCHAR NOT NULL,
    first_seen DATE NOT NULL,
    last_seen DATE NOT NULL,
    break_state VARCHAR NOT NULL,
    is_open BOOLEAN NOT NULL,
    reopened BIGINT NOT NULL
);
COMMENT ON TABLE meta.break_register IS 'One row per break that a published run ever showed, as it was last seen';
