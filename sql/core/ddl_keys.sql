-- title: integer surrogates of natural keys
-- grain: one row per plan, account or payment share ever named; a key without versions was named and never shown
CREATE TABLE IF NOT EXISTS core.plan_keys (
    plan_no BIGINT NOT NULL,               -- from 0, in order of first sight, then plan id
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    plan_id VARCHAR NOT NULL,              -- empty: what belongs to no plan
    first_load_no BIGINT NOT NULL
);
COMMENT ON TABLE core.plan_keys IS 'One row per plan ever named';
CREATE TABLE IF NOT EXISTS core.account_keys (
    account_no BIGINT NOT NULL,
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    first_load_no BIGINT NOT NULL
);
COMMENT ON TABLE core.account_keys IS 'One row per account ever named';
CREATE TABLE IF NOT EXISTS core.payment_keys (
    payment_no BIGINT NOT NULL,
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    payment_id VARCHAR NOT NULL,
    share VARCHAR NOT NULL,                -- account of the share where one payment may pay several, else empty
    first_load_no BIGINT NOT NULL
);
COMMENT ON TABLE core.payment_keys IS 'One row per payment and share ever named';
