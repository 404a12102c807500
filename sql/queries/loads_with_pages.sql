-- title: which snapshots of one tenant were loaded with their rows
-- grain: one row per snapshot
-- source: meta.loads, of those that a page was read of or counted as it was
SELECT l.snapshot_id, max(l.mode) AS mode
FROM meta.loads AS l
WHERE l.provider = $provider AND l.tenant_id = $tenant_id AND l.mode != 'REPLAY'
    AND l.load_no IN (SELECT load_no FROM raw.pages UNION ALL SELECT load_no FROM raw.kept_pages)
GROUP BY l.snapshot_id
