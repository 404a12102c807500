-- title: history of plans over the newest runs
-- grain: one row per plan and run at which it changed
-- source: meta.plan_history
SELECT h.* EXCLUDE (plan_id)
FROM meta.plan_history AS h
INNER JOIN meta.runs AS r ON r.run_id = h.run_id AND r.state = 'PUBLISHED'
WHERE r.run_no >= $since
