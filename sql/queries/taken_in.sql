-- title: why the rows that a replay brought in were refused before
-- grain: one row per reason, as it stands in quarantine
-- source: meta.replayed, meta.quarantine; a row that could not even be decoded is not among the received ones
SELECT
    q.load_no, q.entity, q.page_no, q."position", q.code, q.column_name AS "column", q.reason, q.row_key AS "key",
    q."rows", q.amount_minor, q.currency, r.load_no IS NOT NULL AS is_decoded
FROM meta.replayed AS m
INNER JOIN meta.quarantine AS q
    ON m.refused_load_no = q.load_no AND m.page_no = q.page_no AND m."position" = q."position"
LEFT JOIN raw.rows AS r
    ON q.load_no = r.load_no AND q.page_no = r.page_no AND q."position" = r."position"
WHERE m.load_no = $load_no
ORDER BY ALL
