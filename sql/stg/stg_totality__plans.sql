-- title: Totality payment plans
-- grain: one row per received payment plan
-- source: GET payment-plans (list assumed); a plan belongs to one loan, money is in cents
WITH received AS (
    SELECT * FROM totality__payment_plans
),
repeats AS (
    SELECT uuid, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS newest
    FROM received
    GROUP BY uuid
    HAVING count(*) > 1
),
dated AS (
    SELECT
        *,
        civil(created_at) AS created_on,
        civil(updated_at) AS updated_on,
        civil(first_payment_date) AS first_on,
        payment_frequency = 'monthly' AND coalesce(schedule_type, 'Day-Based') = 'Day-Based' AS is_monthly
    FROM received
)
SELECT
    'payment_plans' AS source,
    d.page_no,
    d.position,
    d.uuid AS plan_id,
    d.loan_uuid AS account_id,
    CAST(NULL AS VARCHAR) AS customer_id,
    home_currency() AS currency,
    'PAYMENTS' AS basis,
    d.created_on,
    d.updated_on,
    CAST(NULL AS DATE) AS proposed_on,
    CAST(NULL AS DATE) AS approved_on,
    CAST(NULL AS DATE) AS rejected_on,
    CAST(NULL AS DATE) AS deactivated_on,
    d.is_active,
    CAST(NULL AS VARCHAR) AS stated_total,
    d.total_plan_amount AS stated_total_units,
    CASE WHEN d.is_monthly THEN 'MONTHLY' ELSE 'OTHER' END AS cadence,
    CASE WHEN d.is_monthly THEN coalesce(d.first_payment_day, day(d.first_on)) END AS anchor_day,
    false AS is_derived,
    CAST(NULL AS DATE) AS starts_on,
    CAST(NULL AS VARCHAR) AS each_payment,
    concat_ws(
        ',',
        unread('created_on', d.created_at, d.created_on),
        unread('updated_on', d.updated_at, d.updated_on),
        unread('anchor_day', d.first_payment_date, d.first_on)
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN repeats AS r ON r.uuid = d.uuid
