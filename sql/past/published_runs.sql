-- title: what each published run was about and knew
-- grain: one row per published run
-- source: meta.runs
SELECT run_no, run_id, run_key, as_of, known_load, known_at, folder, moves_breaks
FROM meta.runs
WHERE state = 'PUBLISHED'
ORDER BY run_no
