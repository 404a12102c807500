-- title: runs of a date, of a state, of an id; an empty parameter does not narrow
-- grain: one row per run
-- source: meta.runs
SELECT
    run_no, run_id, run_key, as_of, known_load, known_at, started_at, ended_at, state, reason, folder, exit_code,
    moves_breaks, summary
FROM meta.runs
WHERE
    coalesce(as_of = $as_of, true)
    AND coalesce(state = $state, true)
    AND coalesce(run_id = $run_id, true)
ORDER BY run_no
