-- title: figures of plans at every published run
-- grain: one row per plan and published run that listed it; runs of a date before the newest published one are left out
-- source: meta.plan_history; where it holds the newest runs alone, plans that never changed in them are as they are now
CREATE OR REPLACE VIEW main.v_plan_history AS
WITH since AS (
    SELECT max(CAST(value AS BIGINT)) AS run_no FROM meta.about WHERE name = 'history_from'
),
runs AS (
    SELECT run_no, run_id, as_of, known_at FROM meta.leading_runs() WHERE run_no >= coalesce((SELECT run_no FROM since), 0)
),
figures AS (
    SELECT r.run_no, h.* EXCLUDE (run_id)
    FROM meta.plan_history AS h
    INNER JOIN meta.runs AS r ON r.run_id = h.run_id AND r.state = 'PUBLISHED'
    UNION ALL BY NAME
    SELECT
        0 AS run_no, provider, tenant_id, plan_id, currency, status, outcome, flags, terms, missed_terms,
        delinquent_terms, amount, received, outstanding, amount_due, overdue, overdue_past_grace, pending,
        days_past_due, bucket, next_due_date, true AS is_listed
    FROM out.latest_plans()
    ANTI JOIN meta.plan_history USING (provider, tenant_id, plan_id)
    WHERE (SELECT run_no FROM since) IS NOT NULL
),
plans AS (
    SELECT DISTINCT provider, tenant_id, plan_id FROM figures
),
buckets AS (
    SELECT a.run_id, a.provider, a.bucket, max(a.bucket_no) AS bucket_no FROM out.aging AS a GROUP BY ALL
),
moments AS (
    SELECT p.provider, p.tenant_id, p.plan_id, r.run_no, r.run_id, r.as_of, r.known_at
    FROM plans AS p
    CROSS JOIN runs AS r
)
SELECT
    m.as_of, m.run_no, m.known_at, m.provider, m.tenant_id, m.plan_id, f.currency, f.status, f.outcome, f.flags, f.terms,
    f.missed_terms, f.delinquent_terms, f.amount, f.received, f.outstanding, f.amount_due, f.overdue,
    f.overdue_past_grace, f.pending, f.days_past_due, f.bucket, f.next_due_date, f.run_no = m.run_no AS is_changed,
    b.bucket_no
FROM moments AS m
ASOF JOIN figures AS f
    ON f.provider = m.provider AND f.tenant_id = m.tenant_id AND f.plan_id = m.plan_id AND f.run_no <= m.run_no
LEFT JOIN buckets AS b ON b.run_id = m.run_id AND b.provider = f.provider AND b.bucket = f.bucket
WHERE f.is_listed;
COMMENT ON VIEW main.v_plan_history IS 'One row per plan and published run that listed it; in the database beside the reports, of the newest runs alone';
