-- title: terms kept in each look-back window, as runs told it
-- grain: one row per run, by its date, and row of its report
-- source: out.kept
SELECT r.as_of, k.currency, k.window_days, k.evaluated, k.kept
FROM out.kept AS k
INNER JOIN meta.runs AS r USING (run_id)
WHERE list_contains($run_nos, r.run_no)
ORDER BY ALL
