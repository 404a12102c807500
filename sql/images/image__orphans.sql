-- title: payments and terms that name what no complete fetch has shown
-- grain: one row per payment or term
-- source: keys without versions, where every sweep of their entity once asked for everything and reached the end;
--         what lies in quarantine was shown
WITH sweeps AS (
    SELECT DISTINCT provider, unnest([entity, child_entity]) AS entity, sweep FROM page_entities
),
full_sweeps AS (
    SELECT DISTINCT provider, tenant_id, sweep
    FROM meta.fetches
    WHERE load_no <= $known AND complete AND since IS NULL
),
tenants AS (
    SELECT DISTINCT provider, tenant_id FROM meta.loads WHERE load_no <= $known
),
complete AS (
    SELECT t.provider, t.tenant_id, s.entity
    FROM tenants AS t
    INNER JOIN sweeps AS s ON s.provider = t.provider
    LEFT JOIN full_sweeps AS f ON f.provider = t.provider AND f.tenant_id = t.tenant_id AND f.sweep = s.sweep
    GROUP BY t.provider, t.tenant_id, s.entity
    HAVING bool_and(f.sweep IS NOT NULL)
),
refused AS (
    SELECT DISTINCT provider, tenant_id, entity, row_key
    FROM meta.quarantine
    WHERE load_no <= $known AND entity IN ('plans', 'accounts')
),
unknown_plans AS (
    SELECT k.plan_no, k.provider, k.tenant_id, k.plan_id
    FROM core.plan_keys AS k
    INNER JOIN complete AS c ON c.provider = k.provider AND c.tenant_id = k.tenant_id AND c.entity = 'plans'
    ANTI JOIN (SELECT plan_no FROM core.plan_versions WHERE load_no <= $known) AS v ON v.plan_no = k.plan_no
    ANTI JOIN refused AS r
        ON r.provider = k.provider AND r.tenant_id = k.tenant_id AND r.entity = 'plans' AND r.row_key = k.plan_id
    WHERE k.plan_id <> '' AND k.first_load_no <= $known
),
unknown_accounts AS (
    SELECT k.account_no, k.provider, k.tenant_id, k.account_id
    FROM core.account_keys AS k
    INNER JOIN complete AS c ON c.provider = k.provider AND c.tenant_id = k.tenant_id AND c.entity = 'accounts'
    ANTI JOIN (SELECT account_no FROM core.account_versions WHERE load_no <= $known) AS v ON v.account_no = k.account_no
    ANTI JOIN refused AS r
        ON r.provider = k.provider AND r.tenant_id = k.tenant_id AND r.entity = 'accounts' AND r.row_key = k.account_id
    WHERE k.first_load_no <= $known
),
terms AS (
    SELECT plan_no, term_id, amount_minor
    FROM core.term_versions
    ANTI JOIN (SELECT row_no FROM core.term_closures WHERE load_no <= $known) USING (row_no)
    SEMI JOIN unknown_plans USING (plan_no)
    WHERE load_no <= $known AND removed_on IS NULL
),
payments AS (
    SELECT payment_no, account_no, currency, amount_minor
    FROM core.payment_versions
    ANTI JOIN (SELECT row_no FROM core.payment_closures WHERE load_no <= $known) USING (row_no)
    SEMI JOIN unknown_accounts USING (account_no)
    WHERE load_no <= $known AND removed_on IS NULL
),
orphans AS (
    SELECT
        p.provider,
        p.tenant_id,
        CAST(NULL AS VARCHAR) AS payment_id,
        t.term_id,
        p.plan_id,
        CAST(NULL AS VARCHAR) AS account_id,
        'plan' AS names,
        CAST(NULL AS VARCHAR) AS currency,
        t.amount_minor
    FROM terms AS t
    INNER JOIN unknown_plans AS p USING (plan_no)
    UNION ALL
    SELECT
        a.provider, a.tenant_id, k.payment_id, NULL, NULL, a.account_id, 'account', p.currency, p.amount_minor
    FROM payments AS p
    INNER JOIN unknown_accounts AS a USING (account_no)
    INNER JOIN core.payment_keys AS k USING (payment_no)
)
SELECT provider, tenant_id, payment_id, term_id, plan_id, account_id, names, currency, amount_minor
FROM orphans
ORDER BY ALL
