-- title: what Payt's plans are about: invoices and credit cases
-- grain: one row per received invoice or credit case
-- source: GET /v1/invoices, GET /v1/credit_cases
SELECT * FROM stg_payt__invoices
UNION ALL BY NAME
SELECT * FROM stg_payt__credit_cases
