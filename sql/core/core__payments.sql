-- title: staged payments of every provider
-- grain: one row per received payment and account it paid on; a status no list knows has no class
SELECT * FROM stg_payt__payments
UNION ALL BY NAME
SELECT * FROM stg_payt__psp_transactions
UNION ALL BY NAME
SELECT * FROM stg_totality__payments
UNION ALL BY NAME
SELECT * FROM stg_payiq__payments
