-- title: staged customers of every provider that can pause them
-- grain: one row per received customer, repeats marked
SELECT * FROM stg_payt__debtors
