-- title: where the rows that a plan's figures rest on came from, as known at a load
-- grain: one row per plan, term or payment asked for; payments may be told once per account
-- source: the versions that hold at the load; a term is told by the row of its plan, where the provider lists terms there
WITH plan_rows AS (
    SELECT 'plan' AS what, v.plan_no AS number, '' AS term_id, v.load_no, v.source, v.page_no, v."position"
    FROM core.plan_versions AS v
    ANTI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no <= $known) AS c USING (row_no)
    WHERE v.load_no <= $known AND v.plan_no = $plan_no
),
payment_rows AS (
    SELECT 'payment' AS what, v.payment_no AS number, '' AS term_id, v.load_no, v.source, v.page_no, v."position"
    FROM core.payment_versions AS v
    ANTI JOIN (SELECT row_no FROM core.payment_closures WHERE load_no <= $known) AS c USING (row_no)
    WHERE v.load_no <= $known AND list_contains($payments, v.payment_no)
),
term_rows AS (
    SELECT
        'term' AS what,
        v.plan_no AS number,
        v.term_id,
        v.load_no,
        CAST(NULL AS VARCHAR) AS source,
        CAST(NULL AS BIGINT) AS page_no,
        CAST(NULL AS BIGINT) AS "position"
    FROM core.term_versions AS v
    ANTI JOIN (SELECT row_no FROM core.term_closures WHERE load_no <= $known) AS c USING (row_no)
    WHERE v.load_no <= $known AND v.plan_no = $plan_no
),
told AS (
    SELECT * FROM plan_rows UNION ALL SELECT * FROM payment_rows UNION ALL SELECT * FROM term_rows
),
first_loads AS (
    SELECT 'plan' AS what, plan_no AS number, '' AS term_id, min(load_no) AS load_no
    FROM core.plan_versions WHERE plan_no = $plan_no GROUP BY ALL
    UNION ALL
    SELECT 'payment', payment_no, '', min(load_no)
    FROM core.payment_versions WHERE list_contains($payments, payment_no) GROUP BY ALL
    UNION ALL
    SELECT 'term', plan_no, term_id, min(load_no)
    FROM core.term_versions WHERE plan_no = $plan_no GROUP BY ALL
)
SELECT
    t.what,
    t.number,
    CASE t.what WHEN 'payment' THEN y.payment_id WHEN 'term' THEN t.term_id ELSE k.plan_id END AS row_id,
    l.provider,
    l.tenant_id,
    t.load_no,
    l.snapshot_id,
    t.source AS sweep,
    p.entity,
    t.page_no AS page,
    t."position",
    p.page_sha256,
    l.loaded_at AS known_since,
    f.loaded_at AS first_seen
FROM told AS t
INNER JOIN meta.loads AS l ON l.load_no = t.load_no
LEFT JOIN core.plan_keys AS k ON t.what = 'plan' AND k.plan_no = t.number
LEFT JOIN core.payment_keys AS y ON t.what = 'payment' AND y.payment_no = t.number
LEFT JOIN raw.pages AS p ON p.load_no = t.load_no AND p.page_no = t.page_no
INNER JOIN first_loads AS b ON b.what = t.what AND b.number = t.number AND b.term_id = t.term_id
INNER JOIN meta.loads AS f ON f.load_no = b.load_no
ORDER BY ALL
