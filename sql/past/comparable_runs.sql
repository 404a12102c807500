-- title: published runs whose plans the history tells of
-- grain: one row per run
-- source: meta.leading_runs, meta.plan_history; runs before the history began are left out
SELECT run_no
FROM meta.leading_runs()
WHERE run_no >= (SELECT min(run_no) FROM meta.runs SEMI JOIN meta.plan_history USING (run_id))
ORDER BY run_no
