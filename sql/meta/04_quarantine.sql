-- title: quarantine
-- grain: one row per rejection of a row (or of a whole page: position -1); values are never kept here
CREATE TABLE IF NOT EXISTS meta.quarantine (
    load_no BIGINT NOT NULL,
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    entity VARCHAR NOT NULL,
    page_sha256 VARCHAR,
    page_no BIGINT,
    "position" BIGINT,
    code VARCHAR NOT NULL,
    column_name VARCHAR,
    reason VARCHAR NOT NULL,
    row_key VARCHAR,
    "rows" BIGINT NOT NULL,                -- rows that stayed out because of this one, itself included
    amount_minor BIGINT,                   -- money that stayed out; empty where it could not be read
    currency VARCHAR,
    first_seen TIMESTAMPTZ NOT NULL,
    last_seen TIMESTAMPTZ NOT NULL,
    schema_version BIGINT NOT NULL
);
COMMENT ON TABLE meta.quarantine IS 'One row per rejection: where the bytes lie and why they stayed out, never their values';
