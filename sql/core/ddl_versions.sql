-- title: what providers said, version by version; append-only
-- grain: one row per version of a plan, term, payment, account or policy
-- A row is never changed. It holds from load_no on, until a closure of the same row_no at a later load.
-- No keys or indexes: uniqueness is checked when a load commits.
CREATE TABLE IF NOT EXISTS core.plan_versions (
    row_no BIGINT NOT NULL,
    load_no BIGINT NOT NULL,
    plan_no BIGINT NOT NULL,
    account_no BIGINT,
    customer_number BIGINT,                -- the id where it is written as a whole number is
    customer_text VARCHAR,                 -- the id where it is written in any other way
    customer_id VARCHAR GENERATED ALWAYS AS (coalesce(customer_text, CAST(customer_number AS VARCHAR))) VIRTUAL,
    currency VARCHAR NOT NULL,
    basis VARCHAR NOT NULL,
    created_on DATE NOT NULL,
    created_at TIMESTAMPTZ,                -- empty: the provider gives a plain date
    updated_on DATE,
    proposed_on DATE,
    approved_on DATE,
    rejected_on DATE,
    deactivated_on DATE,
    deleted_on DATE,
    ended_on DATE,
    inactive_at TIMESTAMPTZ,
    removed_on DATE,
    is_active BOOLEAN,
    stated_total_minor BIGINT,
    cadence VARCHAR NOT NULL,
    anchor_day BIGINT,
    plan_type VARCHAR,
    fires_on_due_day BOOLEAN,              -- on the due day of the account's bill, not on a day of its own
    rule STRUCT(                           -- what the provider says its terms follow from; empty where it says nothing
        arrangement VARCHAR, frequency VARCHAR, pattern VARCHAR, days_in_period BIGINT, first_due_date DATE,
        first_day BIGINT, second_day BIGINT, first_weekday BIGINT, second_weekday BIGINT, first_week BIGINT,
        second_week BIGINT, term_count BIGINT, term_amount_minor BIGINT, is_partial BOOLEAN, weekend_shift BIGINT,
        holiday_shift BIGINT, missing_input VARCHAR
    ),
    custom_terms STRUCT(due_date DATE, amount_minor BIGINT)[],
    source VARCHAR NOT NULL,               -- the sweep that shows the row
    page_no BIGINT NOT NULL,
    "position" BIGINT NOT NULL
);
COMMENT ON TABLE core.plan_versions IS 'One row per version of a plan';
CREATE TABLE IF NOT EXISTS core.term_versions (
    row_no BIGINT NOT NULL,
    load_no BIGINT NOT NULL,
    plan_no BIGINT NOT NULL,
    term_number BIGINT,                    -- the id where it is written as a whole number is
    term_text VARCHAR,                     -- the id where it is written in any other way
    term_id VARCHAR GENERATED ALWAYS AS (coalesce(term_text, CAST(term_number AS VARCHAR))) VIRTUAL,
    term_sequence BIGINT,
    nominal_due_date DATE,
    due_date DATE NOT NULL,
    amount_minor BIGINT NOT NULL,
    provider_outstanding_minor BIGINT,
    provider_paid_on DATE,
    updated_on DATE,                       -- empty: that of the plan
    removed_on DATE,
    linked_payment_no BIGINT
);
COMMENT ON TABLE core.term_versions IS 'One row per version of a term, in plan order within a load';
CREATE TABLE IF NOT EXISTS core.payment_versions (
    row_no BIGINT NOT NULL,
    load_no BIGINT NOT NULL,
    payment_no BIGINT NOT NULL,
    account_no BIGINT,
    currency VARCHAR NOT NULL,
    amount_minor BIGINT NOT NULL,
    effective_date DATE NOT NULL,
    effective_at TIMESTAMPTZ,              -- empty: the provider gives a plain date
    created_on DATE NOT NULL,
    planned_on DATE,                       -- day a pending payment is to be made on
    class VARCHAR NOT NULL,
    provider_status VARCHAR,
    reversed_on DATE,
    reversed_at TIMESTAMPTZ,
    reversed_amount_minor BIGINT,
    fees_minor BIGINT,
    is_money BOOLEAN NOT NULL,
    is_reversal_amount_known BOOLEAN NOT NULL,
    removed_on DATE,
    source VARCHAR NOT NULL,
    page_no BIGINT NOT NULL,
    "position" BIGINT NOT NULL
);
COMMENT ON TABLE core.payment_versions IS 'One row per version of a payment''s share of one account';
CREATE TABLE IF NOT EXISTS core.account_versions (
    row_no BIGINT NOT NULL,
    load_no BIGINT NOT NULL,
    account_no BIGINT NOT NULL,
    parent_account_no BIGINT,              -- the credit case an invoice is part of
    customer_number BIGINT,                -- the id where it is written as a whole number is
    customer_text VARCHAR,                 -- the id where it is written in any other way
    customer_id VARCHAR GENERATED ALWAYS AS (coalesce(customer_text, CAST(customer_number AS VARCHAR))) VIRTUAL,
    currency VARCHAR NOT NULL,
    kind_of_account VARCHAR NOT NULL,
    reference VARCHAR,                     -- what the provider's own people call it
    account_status VARCHAR,
    balance_minor BIGINT,
    total_minor BIGINT,                    -- what an invoice or case was worth when it was made
    account_amount_due_minor BIGINT,
    account_due_date DATE,
    is_stopped BOOLEAN,
    active_plan_no BIGINT,
    paused_on DATE,
    updated_on DATE,
    removed_on DATE,
    source VARCHAR NOT NULL,
    page_no BIGINT NOT NULL,
    "position" BIGINT NOT NULL
);
COMMENT ON TABLE core.account_versions IS 'One row per version of an account';
CREATE TABLE IF NOT EXISTS core.policy_versions (
    row_no BIGINT NOT NULL,
    load_no BIGINT NOT NULL,
    account_no BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    allow_due_day BOOLEAN,
    enforce_due_date BOOLEAN,
    day_due BIGINT,
    plan_type VARCHAR,
    default_monthly_minor BIGINT,
    initial_balance_minor BIGINT,
    maximum_term BIGINT,
    restricted_override_minimum_minor BIGINT,
    tiers STRUCT(
        minimum_minor BIGINT, maximum_minor BIGINT, payment_count BIGINT, restricted_minimum_minor BIGINT
    )[],
    updated_on DATE,
    source VARCHAR NOT NULL,
    page_no BIGINT NOT NULL,
    "position" BIGINT NOT NULL
);
COMMENT ON TABLE core.policy_versions IS 'One row per version of the plan policy of an account';
