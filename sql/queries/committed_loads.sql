-- title: loads in the file
-- grain: one row per load
-- source: meta.loads
SELECT
    load_no, load_id, provider, tenant_id, snapshot_id, mode, is_complete, fetched_at, fetched_on, loaded_at,
    schema_version
FROM meta.loads
ORDER BY load_no
