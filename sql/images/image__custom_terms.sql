-- title: terms that plans list themselves, as known at a load
-- grain: one row per term of the list, in the provider's order
-- source: core.plan_versions without those closed by then
WITH versions AS (
    SELECT plan_no, custom_terms
    FROM core.plan_versions
    ANTI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known AND rule.arrangement = 'CUSTOM' AND len(custom_terms) > 0
),
numbered AS (
    SELECT plan_no, unnest(custom_terms) AS term, generate_subscripts(custom_terms, 1) AS sequence
    FROM versions
)
SELECT plan_no, sequence, term.due_date, term.amount_minor
FROM numbered
ORDER BY plan_no, sequence
