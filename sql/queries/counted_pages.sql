-- title: the pages of a snapshot that a load read
-- grain: one row per page
-- source: raw.pages, of loads whose rows were counted page by page
SELECT p.load_no, p.page_no, p.page_sha256, p."rows"
FROM raw.pages AS p
INNER JOIN meta.loads AS l USING (load_no)
WHERE l.provider = $provider AND l.tenant_id = $tenant_id AND l.snapshot_id = $snapshot_id AND l.mode != 'REPLAY'
    AND p.is_counted
ORDER BY p.load_no, p.page_no
