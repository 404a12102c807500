-- title: terms that are not as they were agreed, as known at a load
-- grain: one row per term whose day or amount changed, or that came or went, after its plan was agreed
-- source: core.term_versions; a plan is agreed from the first load that shows it approved, or at all where its provider
--         knows no approval. A term that came counts only where a fetch in between was complete: it may only be late
WITH agreed AS (
    SELECT plan_no, min(load_no) AS agreed_no
    FROM core.plan_versions
    WHERE load_no <= $known AND (approved_on IS NOT NULL OR (proposed_on IS NULL AND rejected_on IS NULL))
    GROUP BY plan_no
),
closures AS (
    SELECT row_no, load_no AS until_no FROM core.term_closures WHERE load_no <= $known
),
now AS (
    SELECT t.plan_no, t.term_id, t.due_date, t.amount_minor, t.removed_on, a.agreed_no
    FROM core.term_versions AS t
    INNER JOIN agreed AS a ON a.plan_no = t.plan_no
    ANTI JOIN closures AS c ON c.row_no = t.row_no
    WHERE t.load_no <= $known AND t.load_no > a.agreed_no
),
compared AS (   -- most later versions only say what was paid, and end here
    SELECT n.*, b.due_date AS was_due_date, b.amount_minor AS was_amount_minor
    FROM now AS n
    LEFT JOIN (
        SELECT t.plan_no, t.term_id, t.due_date, t.amount_minor
        FROM core.term_versions AS t
        SEMI JOIN now AS n ON n.plan_no = t.plan_no
        INNER JOIN agreed AS a ON a.plan_no = t.plan_no
        LEFT JOIN closures AS c ON c.row_no = t.row_no
        WHERE t.load_no <= a.agreed_no AND (c.until_no IS NULL OR c.until_no > a.agreed_no) AND t.removed_on IS NULL
    ) AS b ON b.plan_no = n.plan_no AND b.term_id = n.term_id
    WHERE
        CASE
            WHEN b.due_date IS NULL THEN n.removed_on IS NULL
            ELSE n.removed_on IS NOT NULL OR n.due_date <> b.due_date OR n.amount_minor <> b.amount_minor
        END
),
changed AS (
    SELECT c.*, min(l.fetched_on) AS changed_on, min(l.load_no) AS changed_no
    FROM compared AS c
    INNER JOIN core.term_versions AS v
        ON
            v.plan_no = c.plan_no AND v.term_id = c.term_id AND v.load_no > c.agreed_no AND v.load_no <= $known
            AND (
                (v.removed_on IS NULL) IS DISTINCT FROM (c.was_due_date IS NOT NULL)
                OR v.due_date IS DISTINCT FROM c.was_due_date
                OR v.amount_minor IS DISTINCT FROM c.was_amount_minor
            )
    INNER JOIN meta.loads AS l ON l.load_no = v.load_no
    GROUP BY ALL
),
whole_loads AS (
    SELECT load_no FROM meta.fetches GROUP BY load_no HAVING bool_and(complete)
)
SELECT
    c.plan_no,
    c.term_id,
    c.was_due_date,
    c.was_amount_minor,
    CASE WHEN c.removed_on IS NULL THEN c.due_date END AS now_due_date,
    CASE WHEN c.removed_on IS NULL THEN c.amount_minor END AS now_amount_minor,
    c.changed_on
FROM changed AS c
INNER JOIN core.plan_keys AS k ON k.plan_no = c.plan_no
WHERE
    c.was_due_date IS NOT NULL
    OR EXISTS (
        SELECT 1
        FROM whole_loads AS w
        INNER JOIN meta.loads AS l ON l.load_no = w.load_no
        WHERE
            l.provider = k.provider AND l.tenant_id = k.tenant_id AND w.load_no >= c.agreed_no
            AND w.load_no < c.changed_no
    )
ORDER BY c.plan_no, c.term_id
