-- title: PayIQ plan policies
-- grain: one row per account of a received setup; the policy of the setup holds for each of its accounts
-- source: POST Api/PaymentPlan/Setup; MaximumTerm counts payments (assumed)
WITH setups AS (
    SELECT * FROM payiq__setups
),
accounts AS (
    SELECT source, page_no, position, account_id, currency, updated_on, is_repeat FROM stg_payiq__accounts
)
SELECT
    a.source,
    a.page_no,
    a.position,
    a.account_id,
    a.currency,
    s.allow_due_day,
    s.enforce_due_date,
    s.day_due,
    s.plan_type,
    s.default_monthly_payment AS default_monthly,
    s.initial_balance,
    s.maximum_term,
    s.restricted_override_minimum,
    a.updated_on,
    a.is_repeat
FROM accounts AS a
INNER JOIN setups AS s ON s.page_no = a.page_no AND s.position = a.position
