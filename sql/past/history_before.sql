-- title: plans before the newest runs changed them
-- grain: one row per plan that changed at one of the newest runs and was in the history before: its row of then
-- source: meta.plan_history
WITH told AS (
    SELECT h.*, r.run_no
    FROM meta.plan_history AS h
    INNER JOIN meta.runs AS r ON r.run_id = h.run_id AND r.state = 'PUBLISHED'
)
SELECT t.* EXCLUDE (run_no, plan_id)
FROM told AS t
SEMI JOIN (SELECT provider, tenant_id, plan_id FROM told WHERE run_no >= $since) USING (provider, tenant_id, plan_id)
WHERE t.run_no < $since
QUALIFY row_number() OVER (PARTITION BY t.provider, t.tenant_id, t.plan_id ORDER BY t.run_no DESC) = 1
