-- title: Payt's money: what was booked, and what is on its way
-- grain: one row per received payment or transaction
-- source: GET /v1/payments, GET /v1/psp_transactions
SELECT * FROM stg_payt__booked_payments
UNION ALL BY NAME
SELECT * FROM stg_payt__psp_transactions
