-- title: what accounts owed when their plans were created, as known at a load
-- grain: one row per plan with a rule, whose account was seen in a version valid on the day of its creation
-- source: core.account_versions, closed or not: the newest version that says it was changed by that day, or, not saying
--         it, was fetched by then
WITH plans AS (
    SELECT plan_no, account_no, currency, created_on
    FROM core.plan_versions
    ANTI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known AND rule IS NOT NULL
),
history AS (
    SELECT
        a.account_no,
        a.currency,
        a.balance_minor,
        coalesce(a.updated_on, l.fetched_on) AS valid_from,
        a.load_no,
        a.row_no
    FROM core.account_versions AS a
    INNER JOIN meta.loads AS l ON l.load_no = a.load_no
    WHERE a.load_no <= $known
),
newest AS (
    SELECT
        p.plan_no,
        max_by(struct_pack(balance_minor := h.balance_minor), (h.valid_from, h.load_no, h.row_no)) AS account
    FROM plans AS p
    INNER JOIN history AS h
        ON h.account_no = p.account_no AND h.currency = p.currency AND h.valid_from <= p.created_on
    GROUP BY p.plan_no
)
SELECT plan_no, account.balance_minor
FROM newest
