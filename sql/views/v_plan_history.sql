-- title: figures of plans at every published run
-- grain: one row per plan and published run that listed it; runs of a date before the newest published one are left out
-- source: meta.plan_figures
CREATE OR REPLACE VIEW main.v_plan_history AS
WITH since AS (
    SELECT max(CAST(value AS BIGINT)) AS run_no FROM meta.about WHERE name = 'history_from'
),
runs AS (
    SELECT run_no, run_id, as_of, known_at, as_of > lag(as_of) OVER (ORDER BY run_no) AS is_later
    FROM meta.leading_runs()
    QUALIFY run_no >= coalesce((SELECT run_no FROM since), 0)
),
figures AS (
    SELECT * FROM meta.plan_figures()
),
plans AS (
    SELECT DISTINCT provider, tenant_id, plan_id FROM figures
),
buckets AS (
    SELECT a.run_id, a.provider, a.bucket, max(a.bucket_no) AS bucket_no FROM out.aging AS a GROUP BY ALL
),
moments AS (
    SELECT p.provider, p.tenant_id, p.plan_id, r.run_no, r.run_id, r.as_of, r.known_at, r.is_later
    FROM plans AS p
    CROSS JOIN runs AS r
)
SELECT
    m.as_of, m.run_no, m.known_at, m.provider, m.tenant_id, m.plan_id, f.currency, f.status, f.outcome, f.flags, f.terms,
    f.missed_terms, f.delinquent_terms, f.amount, f.received, f.outstanding, f.amount_due, f.overdue,
    f.overdue_past_grace, f.pending, coalesce(m.as_of - f.late_since, f.days_past_due) AS days_past_due, f.bucket,
    f.next_due_date,
    CASE
        WHEN f.run_no = m.run_no THEN coalesce(f.is_changed, true)
        ELSE f.late_since IS NOT NULL AND coalesce(m.is_later, false)
    END AS is_changed,
    b.bucket_no
FROM moments AS m
ASOF JOIN figures AS f
    ON f.provider = m.provider AND f.tenant_id = m.tenant_id AND f.plan_id = m.plan_id AND f.run_no <= m.run_no
LEFT JOIN buckets AS b ON b.run_id = m.run_id AND b.provider = f.provider AND b.bucket = f.bucket
WHERE f.is_listed;
COMMENT ON VIEW main.v_plan_history IS 'One row per plan and published run that listed it; in the database beside the reports, of the newest runs alone';
