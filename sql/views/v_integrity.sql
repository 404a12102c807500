-- title: integrity of the latest published run
-- grain: one row per provider, tenant, entity and currency of the last fetch
-- source: integrity.parquet of the run folder
CREATE OR REPLACE VIEW main.v_integrity AS
SELECT
    as_of, provider, tenant_id, entity, currency, fetched, accepted, quarantined, deduplicated,
    amount_fetched, amount_accepted, amount_quarantined, complete, fresh_at, unreadable, amount_deduplicated
FROM out.latest_integrity();
COMMENT ON VIEW main.v_integrity IS 'Latest published run. One row per provider, tenant, entity and currency of the last fetch';
