-- title: figures of every published run
-- grain: one row per published run, provider, tenant and currency; plans in force only
-- source: out.aging, whose rows of every run are kept
CREATE OR REPLACE VIEW main.v_daily AS
WITH runs AS (
    SELECT run_no, run_id, as_of, known_at, run_no = max(run_no) OVER (PARTITION BY as_of) AS is_newest_of_day
    FROM meta.leading_runs()
)
SELECT
    r.as_of, r.run_no, r.known_at, a.provider, a.tenant_id, a.currency,
    CAST(sum(a.plans) AS BIGINT) AS plans,
    CAST(sum(a.terms) AS BIGINT) AS terms,
    CAST(sum(a.amount_due) AS DECIMAL(20, 4)) AS amount_due,
    CAST(sum(a.overdue) AS DECIMAL(20, 4)) AS overdue,
    CAST(sum(a.outstanding) AS DECIMAL(20, 4)) AS outstanding,
    r.is_newest_of_day
FROM runs AS r
INNER JOIN out.aging AS a ON a.run_id = r.run_id
GROUP BY ALL;
COMMENT ON VIEW main.v_daily IS 'One row per published run, provider, tenant and currency; plans in force only';
