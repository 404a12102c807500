-- title: loads in the file
-- grain: one row per load
-- source: meta.loads
SELECT load_no, load_id, provider, tenant_id, snapshot_id, loaded_at,
    CASE WHEN mode = 'REPLAY' THEN mode ELSE '' END AS mode
FROM meta.loads
ORDER BY load_no
