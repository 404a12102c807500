-- title: runs
-- grain: one row per run that ended, published or not
-- source: meta.runs
CREATE OR REPLACE VIEW main.v_runs AS
SELECT
    run_no, run_id, as_of, state, reason, exit_code, known_load, known_at, started_at, ended_at, folder, run_key,
    moves_breaks, summary
FROM meta.runs;
COMMENT ON VIEW main.v_runs IS 'One row per run that ended, published or not';
