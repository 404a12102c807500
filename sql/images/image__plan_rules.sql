-- title: rules of plans as known at a load
-- grain: one row per plan whose provider gives a rule
-- source: core.plan_versions without those closed by then, creation_balances. A partial plan adds up to its own total,
--         any other to the balance at its creation. Where that was never seen the total is empty, and an amount-based
--         plan has as many terms as the provider shows.
WITH versions AS (
    SELECT *
    FROM core.plan_versions
    ANTI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known AND rule IS NOT NULL
),
valued AS (
    SELECT v.*, CASE WHEN v.rule.is_partial THEN v.stated_total_minor ELSE b.balance_minor END AS total_minor
    FROM versions AS v
    LEFT JOIN creation_balances AS b ON b.plan_no = v.plan_no
),
shown AS (
    SELECT plan_no, count(*) AS terms
    FROM core.term_versions
    ANTI JOIN (SELECT row_no FROM core.term_closures WHERE load_no <= $known) USING (row_no)
    SEMI JOIN (SELECT plan_no FROM valued WHERE rule.arrangement = 'AMOUNT' AND total_minor IS NULL) USING (plan_no)
    WHERE load_no <= $known AND removed_on IS NULL
    GROUP BY plan_no
)
SELECT
    v.plan_no,
    k.provider AS convention_set,
    CAST(NULL AS VARCHAR) AS calendar,
    v.currency,
    v.rule.arrangement,
    v.rule.frequency,
    v.rule.pattern,
    v.rule.days_in_period,
    v.rule.first_due_date,
    v.rule.first_day,
    v.rule.second_day,
    v.rule.first_weekday,
    v.rule.second_weekday,
    v.rule.first_week,
    v.rule.second_week,
    CASE WHEN v.rule.arrangement = 'AMOUNT' THEN s.terms ELSE v.rule.term_count END AS term_count,
    v.rule.term_amount_minor,
    v.total_minor,
    v.rule.weekend_shift,
    v.rule.holiday_shift,
    CASE
        WHEN v.rule.missing_input IS NOT NULL THEN v.rule.missing_input
        -- The plan covers a part of the balance and does not say which part; nothing stands in for that.
        WHEN v.rule.is_partial AND v.stated_total_minor IS NULL AND v.rule.arrangement <> 'CUSTOM' THEN 'total_minor'
    END AS missing_input
FROM valued AS v
INNER JOIN core.plan_keys AS k ON k.plan_no = v.plan_no
LEFT JOIN shown AS s ON s.plan_no = v.plan_no
ORDER BY v.plan_no
