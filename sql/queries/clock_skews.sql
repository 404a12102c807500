-- title: how far each provider's clock was from ours in the newest fetch of a tenant
-- grain: one row per provider and tenant whose provider told the time
-- source: meta.fetches; seconds ahead of ours, below zero where behind
WITH fetches AS (
    SELECT provider, tenant_id, load_no, max_by(clock_skew_seconds, abs(clock_skew_seconds)) AS skew_seconds
    FROM meta.fetches
    WHERE load_no <= $known
    GROUP BY provider, tenant_id, load_no
),
newest AS (
    SELECT provider, tenant_id, max_by(skew_seconds, load_no) AS skew_seconds
    FROM fetches
    GROUP BY provider, tenant_id
)
SELECT provider, tenant_id, skew_seconds
FROM newest
WHERE skew_seconds IS NOT NULL
ORDER BY provider, tenant_id
