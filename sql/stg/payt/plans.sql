-- title: Payt payment plans
-- grain: one row per received payment plan
-- source: GET /v1/payment_plans
WITH received AS (
    SELECT * FROM payt__payment_plans
),
repeats AS (
    SELECT id, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS newest
    FROM received
    GROUP BY id
    HAVING count(*) > 1
),
dated AS (
    SELECT
        *,
        civil(created_at) AS created_on,
        civil(updated_at) AS updated_on,
        civil(proposed_at) AS proposed_on,
        civil(approved_at) AS approved_on,
        civil(rejected_at) AS rejected_on,
        civil(deactivated_at) AS deactivated_on
    FROM received
)
SELECT
    'payment_plans' AS source,
    d.page_no,
    d.position,
    d.id AS plan_id,
    CAST(NULL AS VARCHAR) AS account_id,
    d.debtor_id AS customer_id,
    home_currency() AS currency,
    'PROVIDER_BALANCE' AS basis,
    d.created_on,
    timed(d.created_at) AS created_at,
    d.updated_on,
    timed(d.updated_at) AS updated_at,
    d.proposed_on,
    d.approved_on,
    d.rejected_on,
    d.deactivated_on,
    d.active AS is_active,
    CAST(NULL AS VARCHAR) AS stated_total,
    CAST(NULL AS BIGINT) AS stated_total_units,
    'BY_DATES' AS cadence,
    CAST(NULL AS BIGINT) AS anchor_day,
    false AS is_derived,
    CAST(NULL AS DATE) AS starts_on,
    CAST(NULL AS VARCHAR) AS each_payment,
    concat_ws(
        ',',
        unread('created_on', d.created_at, d.created_on),
        unread('updated_on', d.updated_at, d.updated_on),
        unread('proposed_on', d.proposed_at, d.proposed_on),
        unread('approved_on', d.approved_at, d.approved_on),
        unread('rejected_on', d.rejected_at, d.rejected_on),
        unread('deactivated_on', d.deactivated_at, d.deactivated_on)
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN repeats AS r ON r.id = d.id
