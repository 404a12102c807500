-- title: remember the pages of a load
-- grain: one row per page
-- source: fresh, the pages as decoded
INSERT INTO raw.pages BY NAME
SELECT CAST($load_no AS BIGINT) AS load_no, page_no, sweep, entity, sha256 AS page_sha256, "rows", true AS is_counted
FROM fresh
ORDER BY page_no
