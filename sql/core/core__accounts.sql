-- title: staged accounts of every provider
-- grain: one row per received account
SELECT * FROM stg_payt__invoices
UNION ALL BY NAME
SELECT * FROM stg_payt__credit_cases
UNION ALL BY NAME
SELECT * FROM stg_totality__loans
UNION ALL BY NAME
SELECT * FROM stg_payiq__accounts
