-- title: plans that are others than the history tells
-- grain: one row per plan whose figures differ from its newest row, or that came, or that is no longer listed
-- source: the plans of a run under the name now_listed, meta.plan_history
--         A plan in the history that counts 3 days from 25 June to 28 June is not another with 4 days on 29 June. With 3 days on
--         29 June it counts from 26 June: a row, which is_changed tells apart, since readers are shown 3 days as before.
WITH newest AS (
    SELECT max_by(h.rowid, r.run_no) AS place
    FROM meta.plan_history AS h
    INNER JOIN meta.runs AS r ON r.run_id = h.run_id AND r.state = 'PUBLISHED'
    GROUP BY h.provider, h.tenant_id, h.plan_number, h.plan_text
),
last_told AS (
    SELECT h.* EXCLUDE (run_id, plan_number, plan_text, is_changed)
    FROM meta.plan_history AS h
    SEMI JOIN newest ON newest.place = h.rowid
),
listed AS (
    SELECT * EXCLUDE (run_id, plan_number, plan_text, is_changed) FROM meta.plan_history WHERE false
    UNION ALL BY NAME
    SELECT *, true AS is_listed FROM now_listed
),
others AS (
    SELECT n AS seen, t AS told
    FROM listed AS n
    FULL JOIN last_told AS t ON t.provider = n.provider AND t.tenant_id = n.tenant_id AND t.plan_id = n.plan_id
    WHERE n IS DISTINCT FROM t
),
changed AS (
    SELECT unnest(seen) FROM others WHERE seen.plan_id IS NOT NULL
),
last_shown AS (
    SELECT t.* REPLACE (coalesce(l.as_of - t.late_since, t.days_past_due) AS days_past_due, CAST(NULL AS DATE) AS late_since)
    FROM (SELECT unnest(told) FROM others WHERE told.plan_id IS NOT NULL) AS t
    CROSS JOIN (SELECT max_by(as_of, run_no) AS as_of FROM meta.leading_runs()) AS l
),
unchanged AS (
    SELECT * REPLACE (coalesce($as_of - late_since, days_past_due) AS days_past_due, CAST(NULL AS DATE) AS late_since)
    FROM changed
    INTERSECT
    SELECT * FROM last_shown
),
gone AS (
    SELECT * REPLACE (false AS is_listed)
    FROM last_shown
    ANTI JOIN now_listed USING (provider, tenant_id, plan_id)
    WHERE is_listed
)
SELECT c.*, u.plan_id IS NULL AS is_changed
FROM changed AS c
LEFT JOIN unchanged AS u ON u.provider = c.provider AND u.tenant_id = c.tenant_id AND u.plan_id = c.plan_id
UNION ALL BY NAME
SELECT *, true AS is_changed FROM gone
ORDER BY provider, tenant_id, plan_id
