-- title: published runs of earlier dates that the newest knowledge of a load could look back on
-- grain: one row per run
-- source: meta.runs; a run that looked at nothing newer, and ended before the next load became known
SELECT run_no, run_id, run_key, as_of, known_load, known_at, folder, moves_breaks
FROM meta.runs
WHERE state = 'PUBLISHED'
    AND as_of < $as_of
    AND known_load <= $known
    AND ended_at < coalesce(
        (SELECT min(loaded_at) FROM meta.loads WHERE load_no > $known), CAST('infinity' AS TIMESTAMPTZ)
    )
ORDER BY as_of, run_no
