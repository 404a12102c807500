-- title: accounts as known at a load
-- grain: one row per account
-- source: core.account_versions without those closed by then
WITH versions AS (
    SELECT *
    FROM core.account_versions
    ANTI JOIN (SELECT row_no FROM core.account_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known
)
SELECT
    v.account_no,
    k.provider,
    k.tenant_id,
    k.account_id,
    v.parent_account_no,
    v.customer_id,
    v.currency,
    v.kind_of_account,
    v.reference,
    v.account_status,
    v.balance_minor,
    v.total_minor AS account_total_minor,
    v.account_amount_due_minor,
    v.account_due_date,
    v.is_stopped,
    v.active_plan_no,
    v.updated_on,
    v.removed_on
FROM versions AS v
INNER JOIN core.account_keys AS k ON k.account_no = v.account_no
