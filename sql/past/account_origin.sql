-- title: where the row of an account came from, as known at a load
-- grain: one row, none for an account that was only ever named
SELECT
    l.provider,
    l.tenant_id,
    p.entity,
    k.account_id AS row_id,
    v.load_no,
    l.snapshot_id,
    v.source AS sweep,
    v.page_no AS page,
    v."position",
    p.page_sha256,
    l.loaded_at AS known_since,
    (
        SELECT min(f.loaded_at)
        FROM core.account_versions AS a
        INNER JOIN meta.loads AS f ON f.load_no = a.load_no
        WHERE a.account_no = $account_no
    ) AS first_seen
FROM core.account_versions AS v
ANTI JOIN (SELECT row_no FROM core.account_closures WHERE load_no <= $known) AS c USING (row_no)
INNER JOIN meta.loads AS l ON l.load_no = v.load_no
INNER JOIN core.account_keys AS k ON k.account_no = v.account_no
LEFT JOIN raw.pages AS p ON p.load_no = v.load_no AND p.page_no = v.page_no
WHERE v.load_no <= $known AND v.account_no = $account_no
