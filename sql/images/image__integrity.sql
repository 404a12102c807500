-- title: counts of each tenant's newest load
-- grain: one row per provider, tenant, entity and currency
-- source: meta.integrity
WITH newest AS (
    SELECT provider, tenant_id, max(load_no) AS load_no
    FROM meta.integrity
    SEMI JOIN (SELECT load_no FROM meta.loads WHERE mode != 'REPLAY') AS fetched USING (load_no)
    WHERE load_no <= $known
    GROUP BY ALL
)
SELECT
    i.provider,
    i.tenant_id,
    i.entity,
    i.currency AS break_currency,
    i.fetched,
    i.accepted,
    i.quarantined,
    i.deduplicated,
    i.unreadable,
    i.amount_fetched_minor,
    i.amount_accepted_minor,
    i.amount_quarantined_minor,
    i.amount_deduplicated_minor,
    i.complete,
    i.fresh_at
FROM meta.integrity AS i
SEMI JOIN newest USING (provider, tenant_id, load_no)
ORDER BY ALL
