-- title: breaks of the latest published run
-- grain: one row per disagreement, with its life over the runs
-- source: breaks.parquet of the run folder
CREATE OR REPLACE VIEW main.v_breaks AS
SELECT
    as_of, provider, tenant_id, plan_id, term_id, payment_id, account_id, code, reason, side, kind, severity,
    state, expected, actual, difference, difference_days, currency, first_seen, age_days, fingerprint,
    explanation, reference
FROM out.latest_breaks();
COMMENT ON VIEW main.v_breaks IS 'Latest published run. One row per disagreement, with its life over the runs';
