-- title: payments as known at a load
-- grain: one row per payment and account it paid on
-- source: core.payment_versions without those closed by then
WITH versions AS (
    SELECT *
    FROM core.payment_versions
    ANTI JOIN (SELECT row_no FROM core.payment_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known
)
SELECT
    v.payment_no,
    k.provider,
    k.tenant_id,
    k.payment_id,
    v.account_no,
    a.account_id,
    CAST(NULL AS BIGINT) AS plan_no,
    v.currency,
    v.amount_minor,
    v.effective_date,
    v.effective_at,
    v.created_on,
    v.planned_on,
    v.class,
    v.provider_status,
    v.reversed_on,
    v.reversed_at,
    v.reversed_amount_minor,
    v.fees_minor,
    v.is_money,
    v.is_reversal_amount_known,
    v.removed_on,
    l.fetched_on AS told_on
FROM versions AS v
INNER JOIN meta.loads AS l ON l.load_no = v.load_no
INNER JOIN core.payment_keys AS k ON k.payment_no = v.payment_no
LEFT JOIN core.account_keys AS a ON a.account_no = v.account_no
