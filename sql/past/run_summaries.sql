-- title: what published runs said they came to
-- grain: one row per run, by its date
-- source: meta.runs
SELECT as_of, summary
FROM meta.runs
WHERE list_contains($run_nos, run_no)
ORDER BY as_of
