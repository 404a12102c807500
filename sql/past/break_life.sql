-- title: how published runs showed the breaks whose fingerprint begins so
-- grain: one row per break and run, by fingerprint, as-of date and run
SELECT b.*, r.run_no, r.known_load, r.known_at
FROM out.breaks AS b
INNER JOIN meta.runs AS r ON r.run_id = b.run_id
WHERE
    r.state = 'PUBLISHED'
    AND starts_with(b.fingerprint, $beginning)
    AND ($provider IS NULL OR b.provider = $provider)
    AND ($tenant IS NULL OR b.tenant_id = $tenant)
    AND ($as_of IS NULL OR r.as_of <= $as_of)
    AND ($known_at IS NULL OR r.known_at <= $known_at)
ORDER BY b.fingerprint, r.as_of, r.run_no
