-- title: refused rows that came in later
-- grain: one row per replay load and row that it brought in
CREATE TABLE IF NOT EXISTS meta.replayed (
    load_no BIGINT NOT NULL,               -- the load of mode REPLAY that brought the row in
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    refused_load_no BIGINT NOT NULL,       -- the load that refused it
    page_no BIGINT NOT NULL,
    "position" BIGINT NOT NULL
);
COMMENT ON TABLE meta.replayed IS 'One row per replay load and refused row that it brought in';
