-- title: loads in the file
-- grain: one row per load
-- source: meta.loads
SELECT load_no, load_id, provider, tenant_id, snapshot_id, loaded_at
FROM meta.loads
ORDER BY load_no
