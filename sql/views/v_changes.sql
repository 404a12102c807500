-- title: what changed in plans since the last published run
-- grain: one row per plan and column that the latest published run shows otherwise than the one before it
-- source: meta.plan_figures
CREATE OR REPLACE VIEW main.v_changes AS
WITH runs AS (
    SELECT run_no, as_of, lag(as_of) OVER (ORDER BY run_no) AS before_as_of
    FROM meta.leading_runs()
),
latest AS (
    SELECT run_no, as_of, before_as_of FROM runs WHERE before_as_of IS NOT NULL ORDER BY run_no DESC LIMIT 1
),
figures AS (
    SELECT * FROM meta.plan_figures()
),
newest AS (
    SELECT f.*, l.run_no AS latest_no, l.as_of, l.before_as_of
    FROM figures AS f
    CROSS JOIN latest AS l
    QUALIFY row_number() OVER (PARTITION BY f.provider, f.tenant_id, f.plan_id ORDER BY f.run_no DESC) = 1
),
compared AS (
    SELECT n AS later, b AS earlier
    FROM newest AS n
    ASOF LEFT JOIN figures AS b
        ON b.provider = n.provider AND b.tenant_id = n.tenant_id AND b.plan_id = n.plan_id AND b.run_no < n.latest_no
    WHERE n.run_no = n.latest_no OR n.late_since IS NOT NULL
),
cells AS (
    SELECT
        later.as_of AS as_of,
        later.before_as_of AS before_as_of,
        later.provider AS provider,
        later.tenant_id AS tenant_id,
        later.plan_id AS plan_id,
        later.currency AS currency,
        unnest([
            meta.cell('currency', earlier.currency, later.currency),
            meta.cell('status', earlier.status, later.status),
            meta.cell('outcome', earlier.outcome, later.outcome),
            meta.cell('flags', earlier.flags, later.flags),
            meta.cell('terms', earlier.terms, later.terms),
            meta.cell('missed_terms', earlier.missed_terms, later.missed_terms),
            meta.cell('delinquent_terms', earlier.delinquent_terms, later.delinquent_terms),
            meta.cell('amount', earlier.amount, later.amount),
            meta.cell('received', earlier.received, later.received),
            meta.cell('outstanding', earlier.outstanding, later.outstanding),
            meta.cell('amount_due', earlier.amount_due, later.amount_due),
            meta.cell('overdue', earlier.overdue, later.overdue),
            meta.cell('overdue_past_grace', earlier.overdue_past_grace, later.overdue_past_grace),
            meta.cell('pending', earlier.pending, later.pending),
            meta.cell(
                'days_past_due',
                coalesce(later.before_as_of - earlier.late_since, earlier.days_past_due),
                coalesce(later.as_of - later.late_since, later.days_past_due)
            ),
            meta.cell('bucket', earlier.bucket, later.bucket),
            meta.cell('next_due_date', earlier.next_due_date, later.next_due_date),
            meta.cell('listed', coalesce(earlier.is_listed, false), later.is_listed)
        ]) AS cell
    FROM compared
)
SELECT
    c.as_of, c.before_as_of, c.provider, c.tenant_id, c.plan_id, c.currency, c.cell.name AS column_name,
    c.cell.was AS before, c.cell.now AS after, p.customer_id, p.reference
FROM cells AS c
LEFT JOIN out.latest_plans() AS p ON p.provider = c.provider AND p.tenant_id = c.tenant_id AND p.plan_id = c.plan_id
WHERE cell.was IS DISTINCT FROM cell.now;
COMMENT ON VIEW main.v_changes IS 'One row per plan and column that the latest published run shows otherwise than the one before it';
