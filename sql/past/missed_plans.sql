-- title: plans with missed terms, as a published run showed them
-- grain: one row per plan, by its key
-- source: meta.plan_history, whose newest row of a plan up to the run is what the run showed
WITH told AS (
    SELECT
        h.provider, h.tenant_id, h.plan_id, h.missed_terms, h.is_listed,
        row_number() OVER (PARTITION BY h.provider, h.tenant_id, h.plan_id ORDER BY r.run_no DESC) AS age
    FROM meta.plan_history AS h
    INNER JOIN meta.runs AS r ON r.run_id = h.run_id AND r.state = 'PUBLISHED'
    WHERE r.run_no <= $run_no
)
SELECT provider, tenant_id, plan_id, missed_terms
FROM told
WHERE age = 1 AND is_listed AND missed_terms > 0
ORDER BY ALL
