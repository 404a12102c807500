-- title: figures of plans over the published runs
-- grain: one row per plan and published run at which something in it was another than could be told from the run before
-- A plan past due is a day older each day: that is told from the day it counts from. A run of a date before the newest published
-- one has none. Readers' small databases hold the newest runs, and of each plan in them the row before.
CREATE TABLE IF NOT EXISTS meta.plan_history (
    run_id VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    plan_number BIGINT,                    -- the id where it is written as a whole number is
    plan_text VARCHAR,                     -- the id where it is written in any other way
    plan_id VARCHAR GENERATED ALWAYS AS (coalesce(plan_text, CAST(plan_number AS VARCHAR))) VIRTUAL,
    currency VARCHAR,
    status VARCHAR,
    outcome VARCHAR,
    flags VARCHAR,
    terms BIGINT,
    missed_terms BIGINT,
    delinquent_terms BIGINT,
    amount_minor BIGINT,
    received_minor BIGINT,
    outstanding_minor BIGINT,
    amount_due_minor BIGINT,
    overdue_minor BIGINT,
    overdue_past_grace_minor BIGINT,
    pending_minor BIGINT,
    days_past_due BIGINT,                  -- null where the days are counted from `late_since`
    bucket VARCHAR,
    next_due_date DATE,
    is_listed BOOLEAN NOT NULL,            -- false: the run did not list the plan any more; its figures are the last ones
    late_since DATE,                       -- the as-of date less the days past due, until another row
    is_changed BOOLEAN                     -- false: what the run showed is as before, but its days no longer count on; null: true
);
COMMENT ON TABLE meta.plan_history IS 'One row per plan and published run at which more was another than a plan past due being older';
-- title: published runs that became the newest when they ended
-- grain: one row per run; one of a date before the newest published one is left out
-- source: meta.runs
CREATE OR REPLACE MACRO meta.leading_runs() AS TABLE
WITH published AS (
    SELECT
        run_no, run_id, as_of, known_at,
        max(as_of) OVER (ORDER BY run_no ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest
    FROM meta.runs
    WHERE state = 'PUBLISHED'
)
SELECT run_no, run_id, as_of, known_at FROM published WHERE newest IS NULL OR as_of >= newest;
-- title: one column as it was and as it is, both as text
-- grain: one value
CREATE OR REPLACE MACRO meta.cell(name, earlier, later) AS {
    'name': CAST(name AS VARCHAR), 'was': CAST(earlier AS VARCHAR), 'now': CAST(later AS VARCHAR)
};
-- title: what newer versions of plans, their terms and payments say otherwise, in the database beside the reports
-- grain: one row per plan, version and column that differs
-- The warehouse has them in its versions and leaves this empty.
CREATE TABLE IF NOT EXISTS meta.plan_changes (
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    plan_id VARCHAR NOT NULL,
    entity VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    column_name VARCHAR,
    before VARCHAR,
    after VARCHAR,
    known_at TIMESTAMPTZ NOT NULL,
    known_until TIMESTAMPTZ,
    load_no BIGINT NOT NULL
);
COMMENT ON TABLE meta.plan_changes IS 'One row per plan, version of the newest runs, and column that differs from the version before; empty in the warehouse';
