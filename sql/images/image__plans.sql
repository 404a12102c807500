-- title: plans as known at a load
-- grain: one row per plan
-- source: core.plan_versions without those closed by then; the account is the plan's own, else the first linked one:
--         cases before other accounts, then by id as a number
WITH versions AS (
    SELECT *
    FROM core.plan_versions
    ANTI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known
),
account_versions AS (
    SELECT account_no, customer_id, currency, account_amount_due_minor
    FROM core.account_versions
    ANTI JOIN (SELECT row_no FROM core.account_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known
),
first_link AS (
    SELECT
        l.plan_no,
        min_by(
            l.account_no,
            (
                NOT starts_with(a.account_id, 'case:'),
                coalesce(try_cast(split_part(a.account_id, ':', -1) AS HUGEINT), 0),
                a.account_id
            )
        ) AS account_no
    FROM core.plan_links AS l
    INNER JOIN core.account_keys AS a ON a.account_no = l.account_no
    WHERE l.load_no <= $known
    GROUP BY l.plan_no
),
placed AS (
    SELECT v.* REPLACE (coalesce(v.account_no, f.account_no) AS account_no)
    FROM versions AS v
    LEFT JOIN first_link AS f ON f.plan_no = v.plan_no
)
SELECT
    p.plan_no,
    k.provider,
    k.tenant_id,
    k.plan_id,
    p.account_no,
    a.account_id,
    coalesce(p.customer_id, v.customer_id) AS customer_id,
    p.currency,
    p.basis,
    p.created_on,
    p.created_at,
    p.updated_on,
    p.proposed_on,
    p.approved_on,
    p.rejected_on,
    p.deactivated_on,
    p.deleted_on,
    p.ended_on,
    p.inactive_at,
    p.removed_on,
    p.is_active,
    p.stated_total_minor,
    CASE WHEN v.currency = p.currency THEN v.account_amount_due_minor END AS provider_amount_due_minor,
    p.cadence,
    p.anchor_day
FROM placed AS p
INNER JOIN core.plan_keys AS k ON k.plan_no = p.plan_no
LEFT JOIN core.account_keys AS a ON a.account_no = p.account_no
LEFT JOIN account_versions AS v ON v.account_no = p.account_no
