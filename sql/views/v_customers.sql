-- title: customers with what they owe, of the latest published run
-- grain: one row per provider, tenant, customer and currency; figures are of plans in force; plans without a customer share a row
-- source: plans.parquet of the run folder
CREATE OR REPLACE VIEW main.v_customers AS
WITH plans AS (
    SELECT
        p.*,
        CASE WHEN p.is_in_force THEN p.next_due_date END AS next_date,
        min(CASE WHEN p.is_in_force THEN p.next_due_date END) OVER whose AS first_date
    FROM out.latest_plans() AS p
    WINDOW whose AS (PARTITION BY p.provider, p.tenant_id, p.customer_id, p.currency)
),
customers AS (
    SELECT
        as_of, provider, tenant_id, customer_id, currency,
        min(own_customer) AS own_customer,
        count(*) AS plans,
        count(*) FILTER (is_in_force) AS plans_in_force,
        sum(amount_due) FILTER (is_in_force) AS amount_due,
        sum(overdue) FILTER (is_in_force) AS overdue,
        sum(due_today) FILTER (is_in_force) AS due_today,
        sum(outstanding) FILTER (is_in_force) AS outstanding,
        sum(pending) FILTER (is_in_force) AS pending,
        sum(missed_terms) FILTER (is_in_force) AS missed_terms,
        max(days_past_due) FILTER (is_in_force) AS days_past_due,
        arg_max(bucket, bucket_no) FILTER (is_in_force) AS bucket,
        max(bucket_no) FILTER (is_in_force) AS bucket_no,
        min(oldest_unpaid_due_date) FILTER (is_in_force) AS oldest_unpaid_due_date,
        min(next_date) AS next_due_date,
        sum(next_due_amount) FILTER (next_date = first_date) AS next_due_amount,
        max(last_due_date) FILTER (is_in_force) AS last_due_date,
        max(last_receipt_date) AS last_receipt_date
    FROM plans
    GROUP BY ALL
)
SELECT
    as_of, provider, tenant_id, customer_id, currency, plans, plans_in_force,
    CAST(coalesce(amount_due, 0) AS DECIMAL(20, 4)) AS amount_due,
    CAST(coalesce(overdue, 0) AS DECIMAL(20, 4)) AS overdue,
    CAST(coalesce(due_today, 0) AS DECIMAL(20, 4)) AS due_today,
    CAST(coalesce(outstanding, 0) AS DECIMAL(20, 4)) AS outstanding,
    CAST(coalesce(pending, 0) AS DECIMAL(20, 4)) AS pending,
    CAST(coalesce(missed_terms, 0) AS BIGINT) AS missed_terms,
    coalesce(days_past_due, 0) AS days_past_due,
    bucket, bucket_no, oldest_unpaid_due_date, next_due_date,
    CAST(next_due_amount AS DECIMAL(20, 4)) AS next_due_amount,
    last_due_date, last_receipt_date, own_customer,
    CASE
        WHEN own_customer IS NOT NULL
            THEN count(DISTINCT CASE WHEN plans_in_force > 0 THEN provider END) OVER (PARTITION BY own_customer)
    END AS providers
FROM customers;
COMMENT ON VIEW main.v_customers IS 'Latest published run. One row per provider, tenant, customer and currency; figures are of plans in force; plans whose provider names no customer share a row';
