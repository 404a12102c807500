-- title: PayIQ payment plans
-- grain: one row per received plan
-- source: GET Api/PaymentPlan (assumed); a plan is read because an account names it, so it is active
WITH received AS (
    SELECT * FROM payiq__plans
),
repeats AS (
    SELECT payment_plan_id, max(struct_pack(page_no, position)) AS newest
    FROM received
    GROUP BY payment_plan_id
    HAVING count(*) > 1
),
own AS (
    SELECT DISTINCT page_no, position FROM payiq__plan_payments
),
bill_day AS (
    SELECT reference_number, other_data, max(day_due) AS day_due
    FROM payiq__setups
    GROUP BY reference_number, other_data
),
dated AS (
    SELECT
        *,
        told[1] AS created,
        told[2] AS start
    FROM (SELECT *, days_or_midnights([create_date, date_to_start]) AS told FROM received)
)
SELECT
    'portfolio' AS source,
    d.page_no,
    d.position,
    d.payment_plan_id AS plan_id,
    d.customer_id,
    s.currency,
    'PAYMENTS' AS basis,
    d.created.day AS created_on,
    d.created.moment AS created_at,
    true AS is_active,
    d.initial_balance AS stated_total,
    CASE WHEN o.page_no IS NULL THEN 'MONTHLY' ELSE 'OTHER' END AS cadence,
    CASE
        WHEN o.page_no IS NOT NULL THEN NULL
        WHEN coalesce(d.day_to_pay, 0) = 0 AND d.day_type = 'DueDate' THEN b.day_due
        ELSE d.day_to_pay
    END AS anchor_day,
    o.page_no IS NULL AS is_derived,
    coalesce(d.start.day, d.created.day) AS starts_on,
    d.payment_amount AS each_payment,
    d.payment_plan_type AS plan_type,
    w.ours = 'DUE_DATE' AS fires_on_due_day,
    list_filter([unknown_word('DayType', d.day_type, w.ours)], lambda each: each IS NOT NULL) AS unknown_words,
    concat_ws(
        ',', d.created.fault || 'created_on', d.start.fault || 'starts_on'
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN currency_symbols AS s ON s.symbol = d.currency_symbol
LEFT JOIN rule_words AS w ON w.input = 'day_type' AND w.word = d.day_type
LEFT JOIN own AS o ON o.page_no = d.page_no AND o.position = d.position
LEFT JOIN bill_day AS b ON b.reference_number = d.reference_number AND b.other_data = d.other_data
LEFT JOIN repeats AS r ON r.payment_plan_id = d.payment_plan_id
