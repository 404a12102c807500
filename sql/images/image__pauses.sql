-- title: pauses of plans by their providers' own word, up to a load
-- grain: one row per plan and version of its customer or of an account it covers that shows a pause; they may overlap
-- source: core.account_versions and core.customer_pauses, closed or not: a pause lasts from its day to the day on which
--         a later version shows none, or one that began later; empty while none does
WITH accounts AS (
    SELECT
        v.account_no,
        CASE WHEN v.removed_on IS NULL THEN v.paused_on END AS paused_on,
        coalesce(v.removed_on, v.updated_on, l.fetched_on) AS changed_on,
        v.load_no,
        v.row_no
    FROM core.account_versions AS v
    INNER JOIN meta.loads AS l ON l.load_no = v.load_no
    SEMI JOIN (SELECT account_no FROM core.account_versions WHERE paused_on IS NOT NULL) AS p ON p.account_no = v.account_no
    WHERE v.load_no <= $known
),
account_spans AS (
    SELECT account_no, paused_on, lead(changed_on) OVER later AS changed_next, lead(paused_on) OVER later AS paused_next
    FROM accounts
    WINDOW later AS (PARTITION BY account_no ORDER BY load_no, row_no)
),
customer_spans AS (
    SELECT
        provider,
        tenant_id,
        customer_id,
        paused_on,
        lead(changed_on) OVER later AS changed_next,
        lead(paused_on) OVER later AS paused_next
    FROM core.customer_pauses
    WHERE load_no <= $known
    WINDOW later AS (PARTITION BY provider, tenant_id, customer_id ORDER BY load_no)
),
plans AS (
    SELECT v.plan_no, k.provider, k.tenant_id, v.customer_id
    FROM core.plan_versions AS v
    ANTI JOIN (SELECT row_no FROM core.plan_closures WHERE load_no <= $known) AS c ON c.row_no = v.row_no
    INNER JOIN core.plan_keys AS k ON k.plan_no = v.plan_no
    WHERE v.load_no <= $known
),
spans AS (
    SELECT l.plan_no, s.paused_on, s.changed_next, s.paused_next
    FROM account_spans AS s
    INNER JOIN core.plan_links AS l ON l.account_no = s.account_no AND l.load_no <= $known
    UNION ALL BY NAME
    SELECT p.plan_no, s.paused_on, s.changed_next, s.paused_next
    FROM customer_spans AS s
    INNER JOIN plans AS p
        ON p.provider = s.provider AND p.tenant_id = s.tenant_id AND p.customer_id = s.customer_id
)
SELECT DISTINCT
    plan_no,
    paused_on AS pause_start,
    -- Two versions with one pause are one pause; the later of them says how long it lasts.
    CASE WHEN paused_next = paused_on THEN changed_next ELSE least(changed_next, paused_next) END AS pause_end
FROM spans
WHERE paused_on IS NOT NULL
ORDER BY ALL
