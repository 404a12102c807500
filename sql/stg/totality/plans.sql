-- title: Totality payment plans
-- grain: one row per received payment plan
-- source: GET payment-plans (list assumed); a plan belongs to one loan, money is in cents. The rule is the body of the
--         plan's creation in our words; a word of no list leaves its input empty and is named in unknown_words.
WITH received AS (
    SELECT * FROM totality__payment_plans
),
repeats AS (
    SELECT uuid, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS newest
    FROM received
    WHERE uuid IN (SELECT uuid FROM received GROUP BY uuid HAVING count(*) > 1)
    GROUP BY uuid
),
dated AS (
    SELECT
        *,
        told[1] AS created,
        told[2] AS updated,
        told[3] AS first_payment,
        payment_frequency = 'monthly' AND coalesce(schedule_type, 'Day-Based') = 'Day-Based' AS is_monthly
    FROM (SELECT *, days([created_at, updated_at, first_payment_date]) AS told FROM received)
),
ruled AS (
    SELECT
        d.*,
        a.ours AS arrangement,
        f.ours AS frequency,
        p.ours AS pattern,
        CAST(w1.ours AS BIGINT) AS first_weekday,
        CAST(w2.ours AS BIGINT) AS second_weekday,
        list_filter(
            [
                unknown_word('paymentArrangementType', d.payment_arrangement_type, a.ours),
                unknown_word('paymentFrequency', d.payment_frequency, f.ours),
                unknown_word('scheduleType', d.schedule_type, p.ours),
                unknown_word('weekdayOfFirstPayment', d.weekday_of_first_payment, w1.ours),
                unknown_word('weekdayOfSecondPayment', d.weekday_of_second_payment, w2.ours)
            ],
            lambda each: each IS NOT NULL
        ) AS unknown_words
    FROM dated AS d
    LEFT JOIN rule_words AS a
        ON a.input = 'arrangement' AND a.word = d.payment_arrangement_type
    LEFT JOIN rule_words AS f ON f.input = 'frequency' AND f.word = d.payment_frequency
    LEFT JOIN rule_words AS p ON p.input = 'pattern' AND p.word = d.schedule_type
    LEFT JOIN rule_words AS w1
        ON w1.input = 'weekday' AND lower(w1.word) = lower(d.weekday_of_first_payment)
    LEFT JOIN rule_words AS w2
        ON w2.input = 'weekday' AND lower(w2.word) = lower(d.weekday_of_second_payment)
),
-- A list with an entry that cannot be a term is no list: the plan then lacks its own terms.
listed AS (
    SELECT
        page_no,
        position,
        CASE
            WHEN count(*) = count(civil(date)) AND count(*) = count(sound_amount(amount))
            THEN list(struct_pack(due_date := civil(date), amount_minor := amount) ORDER BY ordinal)
        END AS custom_terms
    FROM totality__plan_schedule
    GROUP BY page_no, position
)
SELECT
    'payment_plans' AS source,
    d.page_no,
    d.position,
    d.uuid AS plan_id,
    d.loan_uuid AS account_id,
    home_currency() AS currency,
    'PAYMENTS' AS basis,
    d.created.day AS created_on,
    d.created.moment AS created_at,
    d.updated.day AS updated_on,
    d.updated.moment AS updated_at,
    d.is_active,
    d.total_plan_amount AS stated_total_units,
    CASE WHEN d.is_monthly THEN 'MONTHLY' ELSE 'OTHER' END AS cadence,
    CASE WHEN d.is_monthly THEN coalesce(d.first_payment_day, day(d.first_payment.day)) END AS anchor_day,
    false AS is_derived,
    struct_pack(
        arrangement := d.arrangement,
        frequency := d.frequency,
        pattern := d.pattern,
        days_in_period := d.days_in_period,
        first_due_date := d.first_payment.day,
        first_day := d.first_payment_day,
        second_day := d.second_payment_day,
        first_weekday := d.first_weekday,
        second_weekday := d.second_weekday,
        first_week := d.week_of_first_payment,
        second_week := d.week_of_second_payment,
        term_count := d.number_of_payments,
        term_amount_minor := sound_amount(d.payment_amount),
        is_partial := coalesce(d.is_partial_payment_plan, false),
        weekend_shift := d.move_payment_on_weekend_days,
        holiday_shift := d.move_payment_on_holiday_days,
        -- An empty pattern means days of the month; an unknown one must not.
        missing_input := CASE
            WHEN d.arrangement <> 'CUSTOM'
                AND d.frequency IN ('MONTHLY', 'SEMIMONTHLY')
                AND nullif(d.schedule_type, '') IS NOT NULL
                AND d.pattern IS NULL
            THEN 'pattern'
        END
    ) AS rule,
    l.custom_terms,
    d.unknown_words,
    concat_ws(
        ',',
        d.created.fault || 'created_on',
        d.updated.fault || 'updated_on',
        d.first_payment.fault || 'anchor_day'
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM ruled AS d
LEFT JOIN listed AS l ON l.page_no = d.page_no AND l.position = d.position
LEFT JOIN repeats AS r ON r.uuid = d.uuid
