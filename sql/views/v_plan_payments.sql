-- title: payments beside the plans they can be about, of the latest published run
-- grain: one row per plan and payment that is counted for it, or lies on an account that the plan covers and is in no plan
-- source: payments.parquet, plans.parquet and plan_accounts.parquet of the run folder
CREATE OR REPLACE VIEW main.v_plan_payments AS
WITH payments AS (
    SELECT
        provider, tenant_id, payment_id, plan_id, account_id, currency, amount, effective_date, class, provider_status,
        reversed_on, reversed_amount, allocated, is_money
    FROM out.latest_payments()
),
plans AS (
    SELECT as_of, provider, tenant_id, plan_id, status, created_on, customer_id, reference, is_in_force
    FROM out.latest_plans()
),
covered AS (
    SELECT provider, tenant_id, plan_id, account_id
    FROM out.latest_plan_accounts()
),
tied AS (
    SELECT plans.as_of, plans.plan_id AS of_plan, plans.status, plans.created_on, plans.customer_id, plans.reference, plans.is_in_force,
        'plan' AS tied_by, payments.*
    FROM payments
    INNER JOIN plans
        ON
            payments.provider = plans.provider
            AND payments.tenant_id = plans.tenant_id
            AND payments.plan_id = plans.plan_id
    UNION ALL
    SELECT plans.as_of, plans.plan_id AS of_plan, plans.status, plans.created_on, plans.customer_id, plans.reference, plans.is_in_force,
        'account' AS tied_by, payments.*
    FROM payments
    INNER JOIN covered
        ON
            payments.provider = covered.provider
            AND payments.tenant_id = covered.tenant_id
            AND payments.account_id = covered.account_id
            AND payments.plan_id IS NULL
    INNER JOIN plans
        ON
            covered.provider = plans.provider
            AND covered.tenant_id = plans.tenant_id
            AND covered.plan_id = plans.plan_id
)
SELECT
    as_of, provider, tenant_id, of_plan AS plan_id, status, payment_id, account_id, tied_by,
    effective_date >= created_on AS is_in_plan_time,
    count(*) OVER (PARTITION BY provider, tenant_id, payment_id, account_id) AS plans_of_payment,
    currency, amount, effective_date, class, provider_status, reversed_on, reversed_amount, allocated, is_money,
    customer_id, reference, is_in_force
FROM tied;
COMMENT ON VIEW main.v_plan_payments IS 'Latest published run. One row per plan and payment that is counted for it, or lies on an account that the plan covers and is in no plan';
