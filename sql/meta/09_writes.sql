-- title: write-backs
-- grain: one row per intent to change something at a provider, in its newest state
CREATE TABLE IF NOT EXISTS meta.writes (
    intent_id VARCHAR NOT NULL PRIMARY KEY,
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    operation VARCHAR NOT NULL,            -- create, update, approve, reject or deactivate
    plan_id VARCHAR,                       -- the provider's id, once there is one
    state VARCHAR NOT NULL,                -- planned, approved, sending, done, refused, unknown or parked
    reason VARCHAR NOT NULL,
    amount_minor BIGINT,
    currency VARCHAR,
    request_sha256 VARCHAR NOT NULL,
    answer_status BIGINT,
    planned_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ
);
COMMENT ON TABLE meta.writes IS 'One row per intent to change something at a provider, in its newest state';
