-- title: what each published run was about and knew
-- grain: one row per run of a state
-- source: meta.runs
SELECT run_no, run_id, run_key, as_of, known_load, known_at, moves_breaks
FROM meta.runs
WHERE state = $state
ORDER BY run_no
