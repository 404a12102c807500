-- title: write-backs
-- grain: one row per intent to change something at a provider, in its newest state
-- source: meta.writes, meta.agreed_terms; money in major units, of two places where the currency is unknown
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
),
units AS (
    SELECT
        writes.intent_id,
        coalesce(currencies.minor_unit, 0.01) AS minor_unit,
        CAST(round(-log10(coalesce(currencies.minor_unit, 0.01))) AS INTEGER) AS places
    FROM writes
    LEFT JOIN currencies ON writes.currency = currencies.currency
),
written AS (
    SELECT
        terms.intent_id, terms.sequence, terms.due_date, units.places,
        CAST(CAST(terms.amount_minor * units.minor_unit AS DECIMAL(20, 4)) AS VARCHAR) AS amount
    FROM meta.agreed_terms AS terms
    INNER JOIN units ON terms.intent_id = units.intent_id
),
agreed AS (
    SELECT
        intent_id,
        string_agg(
            strftime(due_date, '%Y-%m-%d') || ' ' || rtrim(left(amount, length(amount) - 4 + places), '.'),
            '; ' ORDER BY sequence
        ) AS agreed_terms
    FROM written
    GROUP BY intent_id
)
SELECT
    writes.intent_id, writes.provider, writes.tenant_id, writes.operation, writes.plan_id, writes.state, writes.reason,
    CAST(writes.amount_minor * coalesce(currencies.minor_unit, 0.01) AS DECIMAL(20, 4)) AS amount, writes.currency,
    writes.planned_at, writes.sent_at, writes.ended_at, writes.answer_status, writes.request_sha256,
    agreed.agreed_terms
FROM writes
LEFT JOIN currencies ON writes.currency = currencies.currency
LEFT JOIN agreed ON writes.intent_id = agreed.intent_id;
COMMENT ON VIEW main.v_writes IS 'One row per intent to change something at a provider, in its newest state';
