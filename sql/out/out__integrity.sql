-- title: integrity of every run
-- grain: per run, one row per provider, tenant, entity and currency of the last fetch
-- source: the report of that name; money in major units beside its currency
CREATE TABLE IF NOT EXISTS out.integrity (
    run_id VARCHAR NOT NULL,
    as_of DATE,
    provider VARCHAR,
    tenant_id VARCHAR,
    entity VARCHAR,
    currency VARCHAR,
    fetched BIGINT,
    accepted BIGINT,
    quarantined BIGINT,
    deduplicated BIGINT,
    amount_fetched DECIMAL(20, 4),
    amount_accepted DECIMAL(20, 4),
    amount_quarantined DECIMAL(20, 4),
    complete BOOLEAN,
    fresh_at TIMESTAMPTZ,
    unreadable BIGINT,
    amount_deduplicated DECIMAL(20, 4)
);
COMMENT ON TABLE out.integrity IS 'Per run: one row per provider, tenant, entity and currency of the last fetch';
