-- title: plans that are others than in the history
-- grain: one row per plan whose figures differ from its newest row, or that came, or that is no longer listed
-- source: the plans of a run under the name now_listed, meta.plan_history
WITH told AS (
    SELECT h.*, row_number() OVER (PARTITION BY h.provider, h.tenant_id, h.plan_id ORDER BY r.run_no DESC) AS age
    FROM meta.plan_history AS h
    INNER JOIN meta.runs AS r ON r.run_id = h.run_id AND r.state = 'PUBLISHED'
),
last_told AS (
    SELECT * EXCLUDE (run_id, age) FROM told WHERE age = 1
),
listed AS (
    SELECT * EXCLUDE (run_id) FROM meta.plan_history WHERE false
    UNION ALL BY NAME
    SELECT *, true AS is_listed FROM now_listed
),
changed AS (
    SELECT * FROM listed
    EXCEPT
    SELECT * FROM last_told
),
gone AS (
    SELECT * REPLACE (false AS is_listed)
    FROM last_told
    ANTI JOIN now_listed USING (provider, tenant_id, plan_id)
    WHERE is_listed
)
SELECT * FROM changed
UNION ALL BY NAME
SELECT * FROM gone
ORDER BY provider, tenant_id, plan_id
