-- title: the history of plans by the numbers of its runs
-- grain: one row per row of meta.plan_history; money in major units, of two places where the currency is unknown
-- source: meta.plan_history; where it holds the newest runs alone, plans without a row are as they are now, from run 0 on
CREATE OR REPLACE MACRO meta.plan_figures() AS TABLE
SELECT
    r.run_no, h.provider, h.tenant_id, h.plan_id, h.currency, h.status, h.outcome, h.flags, h.terms, h.missed_terms,
    h.delinquent_terms,
    CAST(h.amount_minor * coalesce(c.minor_unit, 0.01) AS DECIMAL(20, 4)) AS amount,
    CAST(h.received_minor * coalesce(c.minor_unit, 0.01) AS DECIMAL(20, 4)) AS received,
    CAST(h.outstanding_minor * coalesce(c.minor_unit, 0.01) AS DECIMAL(20, 4)) AS outstanding,
    CAST(h.amount_due_minor * coalesce(c.minor_unit, 0.01) AS DECIMAL(20, 4)) AS amount_due,
    CAST(h.overdue_minor * coalesce(c.minor_unit, 0.01) AS DECIMAL(20, 4)) AS overdue,
    CAST(h.overdue_past_grace_minor * coalesce(c.minor_unit, 0.01) AS DECIMAL(20, 4)) AS overdue_past_grace,
    CAST(h.pending_minor * coalesce(c.minor_unit, 0.01) AS DECIMAL(20, 4)) AS pending,
    h.days_past_due, h.bucket, h.next_due_date, h.is_listed, h.late_since, h.is_changed
FROM meta.plan_history AS h
INNER JOIN meta.runs AS r ON r.run_id = h.run_id AND r.state = 'PUBLISHED'
LEFT JOIN meta.currencies AS c ON c.currency = h.currency
UNION ALL BY NAME
SELECT
    0 AS run_no, provider, tenant_id, plan_id, currency, status, outcome, flags, terms, missed_terms, delinquent_terms,
    amount, received, outstanding, amount_due, overdue, overdue_past_grace, pending,
    CASE WHEN days_past_due > 0 THEN NULL ELSE days_past_due END AS days_past_due, bucket, next_due_date,
    true AS is_listed, CASE WHEN days_past_due > 0 THEN as_of - CAST(days_past_due AS INTEGER) END AS late_since
FROM out.latest_plans()
ANTI JOIN meta.plan_history USING (provider, tenant_id, plan_id)
WHERE EXISTS (FROM meta.about WHERE name = 'history_from');
