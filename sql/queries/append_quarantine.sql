-- title: remember why rows stayed out
-- grain: one row per reason; first_seen is that of the earliest load that refused the same row for the same reason
-- source: fresh, the rejections of a load
INSERT INTO meta.quarantine BY NAME
WITH fresh_reasons AS (
    SELECT * FROM fresh
),
before AS (
    SELECT entity, code, column_name, row_key, min(first_seen) AS first_seen
    FROM meta.quarantine
    WHERE provider = $provider AND tenant_id = $tenant_id AND row_key IS NOT NULL
    GROUP BY entity, code, column_name, row_key
)
SELECT
    CAST($load_no AS BIGINT) AS load_no,
    $provider AS provider,
    $tenant_id AS tenant_id,
    f.entity,
    f.page_sha256,
    f.page_no,
    f.position,
    f.code,
    f."column" AS column_name,
    f.reason,
    f.key AS row_key,
    f."rows",
    f.amount_minor,
    f.currency,
    coalesce(b.first_seen, CAST($loaded_at AS TIMESTAMPTZ)) AS first_seen,
    CAST($loaded_at AS TIMESTAMPTZ) AS last_seen,
    CAST($schema_version AS BIGINT) AS schema_version
FROM fresh_reasons AS f
LEFT JOIN before AS b
    ON b.entity = f.entity AND b.code = f.code AND b.row_key = f.key AND b.column_name IS NOT DISTINCT FROM f."column"
ORDER BY f.entity, f.page_no, f.position, f.code
