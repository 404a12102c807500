-- title: how complete each tenant's newest fetch was, and when the last complete one began
-- grain: one row per provider, tenant and entity
-- source: meta.integrity
SELECT
    provider,
    tenant_id,
    entity,
    max_by(complete, load_no) AS complete,
    max(fresh_at) AS fresh_at
FROM meta.integrity
SEMI JOIN (SELECT load_no FROM meta.loads WHERE mode != 'REPLAY') AS fetched USING (load_no)
WHERE load_no <= $known
GROUP BY provider, tenant_id, entity
ORDER BY provider, tenant_id, entity
