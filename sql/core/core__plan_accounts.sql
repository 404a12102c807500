-- title: links that only the plan tells; those that accounts tell are in their own rows
-- grain: one row per plan and account
SELECT * FROM stg_payiq__plan_accounts
