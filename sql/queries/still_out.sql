-- title: refused rows that may come in yet
-- grain: one row per load, page and position
-- source: meta.quarantine, less what a replay brought in and what a later complete fetch of everything has judged anew
WITH whole AS (
    SELECT provider, tenant_id, max(load_no) AS load_no
    FROM meta.loads
    WHERE mode = 'FULL' AND is_complete
    GROUP BY provider, tenant_id
),
refused AS (
    SELECT DISTINCT q.load_no, l.snapshot_id, q.provider, q.tenant_id, q.page_no, q."position"
    FROM meta.quarantine AS q
    INNER JOIN meta.loads AS l ON q.load_no = l.load_no
    LEFT JOIN whole AS w ON q.provider = w.provider AND q.tenant_id = w.tenant_id
    WHERE q."position" >= 0 AND q.load_no >= coalesce(w.load_no, 0)
)
SELECT r.load_no, r.snapshot_id, r.provider, r.tenant_id, r.page_no, r."position"
FROM refused AS r
ANTI JOIN meta.replayed AS m
    ON r.load_no = m.refused_load_no AND r.page_no = m.page_no AND r."position" = m."position"
ORDER BY ALL
