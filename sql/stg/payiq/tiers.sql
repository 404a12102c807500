-- title: PayIQ tiers of a plan policy
-- grain: one row per tier of a received setup
-- source: Tiers of POST Api/PaymentPlan/Setup
WITH received AS (
    SELECT * FROM payiq__setup_tiers
)
SELECT page_no, position, ordinal, minimum, maximum, payment_count, restricted_minimum
FROM received
