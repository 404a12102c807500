-- title: which fields the rows of a provider always carried
-- grain: one row per tenant, page entity, field and answer, from the first load that gave it
CREATE TABLE IF NOT EXISTS meta.carried_fields (
    load_no BIGINT NOT NULL,
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    entity VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    by_every_row BOOLEAN NOT NULL          -- false: a row of this load left it out
);
COMMENT ON TABLE meta.carried_fields IS 'One row per field and whether all rows carried it, from the first load that said so';
