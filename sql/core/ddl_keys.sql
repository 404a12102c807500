-- title: integer surrogates of natural keys
-- grain: one row per plan, account or payment share ever named; a key without versions was named and never shown
CREATE TABLE IF NOT EXISTS core.plan_keys (
    plan_no BIGINT NOT NULL,               -- from 0, in order of first sight, then plan id
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    plan_number BIGINT,                    -- the id where it is written as a whole number is
    plan_text VARCHAR,                     -- the id where it is written in any other way; "" is what belongs to no plan
    plan_id VARCHAR GENERATED ALWAYS AS (coalesce(plan_text, CAST(plan_number AS VARCHAR))) VIRTUAL,
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
    payment_number BIGINT,                 -- the id where it is written as a whole number is
    payment_text VARCHAR,                  -- the id where it is written in any other way
    payment_id VARCHAR GENERATED ALWAYS AS (coalesce(payment_text, CAST(payment_number AS VARCHAR))) VIRTUAL,
    share VARCHAR NOT NULL,                -- account of the share where one payment may pay several, else empty
    first_load_no BIGINT NOT NULL
);
COMMENT ON TABLE core.payment_keys IS 'One row per payment and share ever named';
