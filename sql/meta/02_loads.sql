-- title: loads, the clock of what was known
-- grain: one row per committed load; load_no counts from 1 without gaps, in commit order
CREATE TABLE IF NOT EXISTS meta.loads (
    load_no BIGINT NOT NULL PRIMARY KEY,
    load_id VARCHAR NOT NULL UNIQUE,       -- hash of the sealed snapshot and the schema version: a repeat is a no-op
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    snapshot_id VARCHAR NOT NULL,
    mode VARCHAR NOT NULL,                 -- FULL, CHANGES or REPLAY
    is_complete BOOLEAN NOT NULL,          -- every sweep reached the provider's end signal
    fetched_at TIMESTAMPTZ NOT NULL,       -- when the snapshot was opened
    fetched_on DATE NOT NULL,              -- the same moment as a civil date in the provider's zone
    loaded_at TIMESTAMPTZ NOT NULL,        -- when the rows became known: known-at refers to this
    schema_version BIGINT NOT NULL
);
COMMENT ON TABLE meta.loads IS 'One row per committed load; load_no is the clock of what was known';
