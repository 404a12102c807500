-- title: when loads became known, and how
-- grain: one row per load
-- source: meta.loads
SELECT load_no, loaded_at AS known_at, mode = 'REPLAY' AS is_replay
FROM meta.loads
ORDER BY load_no
