-- title: where the accounts of one tenant lie whose money may be moving
-- grain: one row per page of a snapshot, of the tenants that are asked account by account
-- source: accounts with pending money, or with a term of a plan due within the days around the date
WITH accounts AS (
    SELECT v.account_no, v.load_no, v.page_no
    FROM core.account_versions AS v
    ANTI JOIN core.account_closures USING (row_no)
    INNER JOIN core.account_keys AS k ON k.account_no = v.account_no
    WHERE k.provider = $provider AND k.tenant_id = $tenant_id AND v.source = 'portfolio'
),
moving AS (
    SELECT p.account_no
    FROM core.payment_versions AS p
    ANTI JOIN core.payment_closures USING (row_no)
    WHERE p.class = 'pending' AND p.removed_on IS NULL
    UNION
    SELECT l.account_no
    FROM core.term_versions AS t
    ANTI JOIN core.term_closures USING (row_no)
    INNER JOIN core.plan_links AS l ON l.plan_no = t.plan_no
    WHERE t.removed_on IS NULL AND t.due_date BETWEEN $first AND $last
)
SELECT DISTINCT l.snapshot_id, a.page_no
FROM accounts AS a
SEMI JOIN moving AS m ON m.account_no = a.account_no
INNER JOIN meta.loads AS l ON l.load_no = a.load_no
ORDER BY l.snapshot_id, a.page_no
