-- title: plans of the latest published run
-- grain: one row per plan that exists on the as-of date
-- source: plans.parquet of the run folder
CREATE OR REPLACE VIEW main.v_plans AS
SELECT
    as_of, provider, tenant_id, plan_id, account_id, customer_id, currency, status, flags, outcome, basis,
    terms, terms_satisfied, missed_terms, delinquent_terms, amount, received, outstanding, amount_due,
    overdue, overdue_past_grace, due_today, not_due, unapplied, pending, coverage, days_past_due,
    days_past_due_business, shadow_days_past_due, mba_months, ots_months, bucket, oldest_unpaid_due_date,
    next_due_date, next_due_amount, provider_amount_due, conformance, is_in_force, waived, fresh_pending,
    stated_total, provider_outstanding, created_on, updated_on, missing_input,
    replaced_by_plan_id, bucket_no, reference
FROM out.latest_plans();
COMMENT ON VIEW main.v_plans IS 'Latest published run. One row per plan that exists on the as-of date';
