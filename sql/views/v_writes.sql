-- title: write-backs
-- grain: one row per intent to change something at a provider, in its newest state
-- source: meta.writes; money in major units, of two places where the currency is unknown
CREATE OR REPLACE VIEW main.v_writes AS
WITH writes AS (
    SELECT
        intent_id, provider, tenant_id, operation, plan_id, state, reason, amount_minor, currency, request_sha256,
        answer_status, planned_at, sent_at, ended_at
    FROM meta.writes
),
currencies AS (
    SELECT currency, minor_unit
    FROM meta.currencies
)
SELECT
    writes.intent_id, writes.provider, writes.tenant_id, writes.operation, writes.plan_id, writes.state, writes.reason,
    CAST(writes.amount_minor * coalesce(currencies.minor_unit, 0.01) AS DECIMAL(20, 4)) AS amount, writes.currency,
    writes.planned_at, writes.sent_at, writes.ended_at, writes.answer_status, writes.request_sha256
FROM writes
LEFT JOIN currencies ON writes.currency = currencies.currency;
COMMENT ON VIEW main.v_writes IS 'One row per intent to change something at a provider, in its newest state';
