-- title: history of plans over the newest runs
-- grain: one row per plan and run at which it changed, and of each such plan its row before
-- source: meta.plan_history
WITH told AS (
    SELECT h.*, r.run_no
    FROM meta.plan_history AS h
    INNER JOIN meta.runs AS r ON r.run_id = h.run_id AND r.state = 'PUBLISHED'
),
recent AS (
    SELECT * FROM told WHERE run_no >= $since
),
before AS (
    SELECT t.*
    FROM told AS t
    SEMI JOIN recent USING (provider, tenant_id, plan_id)
    WHERE t.run_no < $since
    QUALIFY row_number() OVER (PARTITION BY t.provider, t.tenant_id, t.plan_id ORDER BY t.run_no DESC) = 1
)
SELECT * EXCLUDE (run_no) FROM recent
UNION ALL BY NAME
SELECT * EXCLUDE (run_no) FROM before
ORDER BY ALL
