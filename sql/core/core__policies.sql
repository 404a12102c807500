-- title: staged plan policies
-- grain: one row per account that a received policy holds for
SELECT * FROM stg_payiq__policies
