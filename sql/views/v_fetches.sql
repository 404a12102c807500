-- title: fetches
-- grain: one row per load and sweep
-- source: meta.fetches, meta.loads
CREATE OR REPLACE VIEW main.v_fetches AS
WITH fetches AS (
    SELECT load_no, provider, tenant_id, sweep, since, complete, reason, pages, "rows", started_clock,
        clock_skew_seconds, watermark
    FROM meta.fetches
),
loads AS (
    SELECT load_no, snapshot_id, mode, fetched_at, loaded_at
    FROM meta.loads
)
SELECT
    fetches.load_no, fetches.provider, fetches.tenant_id, fetches.sweep, fetches.since, fetches.complete,
    fetches.reason, fetches.pages, fetches."rows", fetches.started_clock, fetches.clock_skew_seconds, fetches.watermark,
    loads.mode, loads.fetched_at, loads.loaded_at, loads.snapshot_id
FROM fetches
LEFT JOIN loads ON fetches.load_no = loads.load_no;
COMMENT ON VIEW main.v_fetches IS 'One row per load and sweep: what was asked, how far it came, when it was loaded';
