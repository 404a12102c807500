-- title: acceptances of breaks
-- grain: one row per decision to accept a break or to take its acceptance back
-- source: meta.acceptances; money in major units, of two places where the currency is unknown
CREATE OR REPLACE VIEW main.v_acceptances AS
WITH decisions AS (
    SELECT
        acceptance_no, provider, tenant_id, plan_id, code, fingerprint, owner, accepted_because, expires_on,
        maximum_minor, break_currency, accepted_at, accepted_by, is_withdrawn,
        max(acceptance_no) OVER (PARTITION BY fingerprint) AS newest_no
    FROM meta.acceptances
),
currencies AS (
    SELECT currency, minor_unit
    FROM meta.currencies
)
SELECT
    decisions.acceptance_no, decisions.provider, decisions.tenant_id, decisions.plan_id, decisions.code,
    decisions.fingerprint, decisions.owner, decisions.accepted_because, decisions.expires_on,
    CAST(decisions.maximum_minor * coalesce(currencies.minor_unit, 0.01) AS DECIMAL(20, 4)) AS maximum,
    decisions.break_currency AS currency, decisions.accepted_at, decisions.accepted_by, decisions.is_withdrawn,
    decisions.acceptance_no = decisions.newest_no AS is_newest
FROM decisions
LEFT JOIN currencies ON decisions.break_currency = currencies.currency;
COMMENT ON VIEW main.v_acceptances IS 'One row per decision to accept a break or to take its acceptance back; the newest on a break counts';
