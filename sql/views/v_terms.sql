-- title: terms of the latest published run
-- grain: one row per term of a plan that exists on the as-of date
-- source: terms.parquet of the run folder
CREATE OR REPLACE VIEW main.v_terms AS
SELECT
    as_of, provider, tenant_id, plan_id, term_id, term_no, flags, nominal_due_date, due_date, currency,
    amount, waived, received, outstanding, pending, provider_outstanding, state, satisfied_on, days_late,
    expected_due_date, expected_amount
FROM out.latest_terms();
COMMENT ON VIEW main.v_terms IS 'Latest published run. One row per term of a plan that exists on the as-of date';
