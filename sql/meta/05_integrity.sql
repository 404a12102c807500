-- title: conservation of rows and money
-- grain: one row per load, entity and currency; fetched = accepted + quarantined + deduplicated
CREATE TABLE IF NOT EXISTS meta.integrity (
    load_no BIGINT NOT NULL,
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    entity VARCHAR NOT NULL,
    currency VARCHAR,
    fetched BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    deduplicated BIGINT NOT NULL,
    unreadable BIGINT NOT NULL,            -- rows whose amount could not be read; no money is counted for them
    amount_fetched_minor BIGINT,
    amount_accepted_minor BIGINT,
    amount_quarantined_minor BIGINT,
    amount_deduplicated_minor BIGINT,
    complete BOOLEAN NOT NULL,
    fresh_at TIMESTAMPTZ                   -- when the last complete fetch of the entity began
);
COMMENT ON TABLE meta.integrity IS 'One row per load, entity and currency: what came in, what was accepted, what stayed out';
