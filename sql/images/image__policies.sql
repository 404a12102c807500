-- title: plan policies as known at a load
-- grain: one row per account that a policy holds for
-- source: core.policy_versions without those closed by then
WITH versions AS (
    SELECT *
    FROM core.policy_versions
    ANTI JOIN (SELECT row_no FROM core.policy_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known
)
SELECT
    v.account_no,
    k.provider,
    k.tenant_id,
    k.account_id,
    v.currency,
    v.allow_due_day,
    v.enforce_due_date,
    v.day_due,
    v.plan_type,
    v.default_monthly_minor,
    v.initial_balance_minor,
    v.maximum_term,
    v.restricted_override_minimum_minor,
    v.tiers,
    v.updated_on
FROM versions AS v
INNER JOIN core.account_keys AS k ON k.account_no = v.account_no
ORDER BY v.account_no
