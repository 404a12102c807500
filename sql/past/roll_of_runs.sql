-- title: moves between buckets, as runs told them
-- grain: one row per run, by its date, and row of its report
-- source: out.roll
SELECT r.as_of, m.currency, m.from_as_of, m.from_bucket_no, m.to_bucket, m.to_bucket_no, m.plans
FROM out.roll AS m
INNER JOIN meta.runs AS r USING (run_id)
WHERE list_contains($run_nos, r.run_no)
ORDER BY ALL
