-- title: plans before the newest runs changed them
-- grain: one row per plan that changed at one of the newest runs and was in the history before: its row of then
-- source: meta.plan_history
WITH newest_before AS (
    SELECT max_by(h.rowid, r.run_no) FILTER (WHERE r.run_no < $since) AS place
    FROM meta.plan_history AS h
    INNER JOIN meta.runs AS r ON r.run_id = h.run_id AND r.state = 'PUBLISHED'
    GROUP BY h.provider, h.tenant_id, h.plan_number, h.plan_text
    HAVING max(r.run_no) >= $since
)
SELECT h.* EXCLUDE (plan_id)
FROM meta.plan_history AS h
SEMI JOIN newest_before AS n ON n.place = h.rowid
