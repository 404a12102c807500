-- title: pauses of customers; append-only
-- grain: one row per change of a customer's pause; a customer who was never paused has none
CREATE TABLE IF NOT EXISTS core.customer_pauses (
    load_no BIGINT NOT NULL,
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    customer_id VARCHAR NOT NULL,
    paused_on DATE,                        -- empty: paused no more
    changed_on DATE NOT NULL               -- day of the provider's change, else of the fetch that showed it
);
COMMENT ON TABLE core.customer_pauses IS 'One row per change of a customer''s pause; a customer who was never paused has none';
