-- title: accounts of the latest published run
-- grain: one row per account, as its newest version known says
-- source: accounts.parquet of the run folder
CREATE OR REPLACE VIEW main.v_accounts AS
SELECT
    as_of, provider, tenant_id, account_id, customer_id, currency, kind, status, balance, amount_due,
    due_date, is_stopped, updated_on, reference
FROM out.latest_accounts();
COMMENT ON VIEW main.v_accounts IS 'Latest published run. One row per account, as its newest version known says';
