-- title: parts of payments, where a provider splits them
-- grain: one row per part of a payment's share of one account
SELECT * FROM stg_payiq__payment_parts
