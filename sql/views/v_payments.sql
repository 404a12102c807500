-- title: payments of the latest published run
-- grain: one row per payment and account it paid on
-- source: payments.parquet of the run folder
CREATE OR REPLACE VIEW main.v_payments AS
SELECT
    as_of, provider, tenant_id, payment_id, plan_id, account_id, currency, amount, effective_date, class,
    provider_status, reversed_on, reversed_amount, allocated, created_on, counts_from, is_money, is_stale,
    pending_business_days
FROM out.latest_payments();
COMMENT ON VIEW main.v_payments IS 'Latest published run. One row per payment and account it paid on';
