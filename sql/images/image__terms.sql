-- title: terms of some plans as known at a load
-- grain: one row per term
-- source: core.term_versions without those closed by then; a term that does not say when it changed changed with its plan
WITH versions AS (
    SELECT *
    FROM core.term_versions
    ANTI JOIN (SELECT row_no FROM core.term_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known AND plan_no BETWEEN $first AND $last
),
wanted_terms AS (
    SELECT * FROM versions SEMI JOIN wanted_plans USING (plan_no)
),
plans AS (
    SELECT plan_no, updated_on
    FROM core.plan_versions
    ANTI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known AND plan_no BETWEEN $first AND $last
)
SELECT
    t.plan_no,
    t.term_id,
    t.term_sequence,
    t.nominal_due_date,
    t.due_date,
    t.amount_minor,
    t.provider_outstanding_minor,
    t.provider_paid_on,
    coalesce(t.updated_on, p.updated_on) AS updated_on,
    t.removed_on,
    t.linked_payment_no,
    l.fetched_on AS told_on
FROM wanted_terms AS t
INNER JOIN meta.loads AS l ON l.load_no = t.load_no
LEFT JOIN plans AS p ON p.plan_no = t.plan_no
