-- title: what some runs expected to come over some days
-- grain: one row per provider, tenant, currency and horizon
-- source: out.cash
SELECT c.provider, c.tenant_id, c.currency, c.horizon_days, c.as_of AS backtest_as_of, c.risk_adjusted
FROM out.cash AS c
INNER JOIN made AS m ON m.run_id = c.run_id AND m.days = c.horizon_days
ORDER BY ALL
