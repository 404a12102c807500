-- title: staged tiers of plan policies
-- grain: one row per tier of a received policy
SELECT * FROM stg_payiq__tiers
