-- title: what each provider's clock said when the newest fetch of a tenant began
-- grain: one row per provider and tenant
-- source: meta.fetches; null where no answer told the time
WITH fetches AS (
    SELECT provider, tenant_id, load_no, min(started_clock) AS clock
    FROM meta.fetches
    WHERE load_no <= $known
    GROUP BY provider, tenant_id, load_no
)
SELECT provider, tenant_id, max_by(clock, load_no) AS clock
FROM fetches
GROUP BY provider, tenant_id
ORDER BY provider, tenant_id
