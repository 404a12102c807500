-- title: agreed terms
-- grain: one row per term that an intent to change something at a provider is meant to bring about
CREATE TABLE IF NOT EXISTS meta.agreed_terms (
    intent_id VARCHAR NOT NULL,
    sequence BIGINT NOT NULL,              -- 1 to n by due date and amount
    due_date DATE NOT NULL,
    amount_minor BIGINT NOT NULL           -- in the currency of the intent
);
COMMENT ON TABLE meta.agreed_terms IS 'One row per term that an intent to change something at a provider is meant to bring about';
