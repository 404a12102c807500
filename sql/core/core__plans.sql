-- title: staged plans of every provider
-- grain: one row per received plan
SELECT * FROM stg_payt__plans
UNION ALL BY NAME
SELECT * FROM stg_totality__plans
UNION ALL BY NAME
SELECT * FROM stg_payiq__plans
