-- title: staged terms of every provider; those that are derived come with admission
-- grain: one row per received term
SELECT * FROM stg_payt__terms
UNION ALL BY NAME
SELECT * FROM stg_totality__terms
UNION ALL BY NAME
SELECT * FROM stg_payiq__terms
