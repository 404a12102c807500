-- title: accounts a PayIQ plan fires against
-- grain: one row per plan and account
-- source: BillingAccounts of GET Api/PaymentPlan (assumed)
WITH received AS (
    SELECT * FROM payiq__plan_accounts
)
SELECT DISTINCT payment_plan_id AS plan_id, account_id
FROM received
WHERE account_id IS NOT NULL
