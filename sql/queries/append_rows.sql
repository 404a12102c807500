-- title: remember the rows of a load that stay out
-- grain: one row per page and position
-- source: fresh, the top-level rows as decoded, those refused
INSERT INTO raw.rows BY NAME
SELECT
    CAST($load_no AS BIGINT) AS load_no,
    page_no,
    position,
    CAST('0x' || left(row_hash, 16) AS UBIGINT) AS row_hash
FROM fresh
ORDER BY page_no, position
