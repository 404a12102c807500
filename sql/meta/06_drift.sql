-- title: drift of the providers' contracts
-- grain: one row per load, entity and unknown field or word
CREATE TABLE IF NOT EXISTS meta.drift (
    load_no BIGINT NOT NULL,
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    entity VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,                 -- UNKNOWN_FIELD or UNKNOWN_VALUE
    name VARCHAR NOT NULL,                 -- the field; of a value: the field it stands in
    value VARCHAR,                         -- the word of a closed list; empty for a field
    "rows" BIGINT NOT NULL
);
COMMENT ON TABLE meta.drift IS 'One row per load and field or word that the provider''s contract did not promise';
