-- title: where versions end; append-only
-- grain: one row per version that a later one replaced; the version does not hold from load_no on
CREATE TABLE IF NOT EXISTS core.plan_closures (row_no BIGINT NOT NULL, load_no BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS core.term_closures (row_no BIGINT NOT NULL, load_no BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS core.payment_closures (row_no BIGINT NOT NULL, load_no BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS core.account_closures (row_no BIGINT NOT NULL, load_no BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS core.policy_closures (row_no BIGINT NOT NULL, load_no BIGINT NOT NULL);
COMMENT ON TABLE core.plan_closures IS 'One row per plan version that ended';
COMMENT ON TABLE core.term_closures IS 'One row per term version that ended';
COMMENT ON TABLE core.payment_closures IS 'One row per payment version that ended';
COMMENT ON TABLE core.account_closures IS 'One row per account version that ended';
COMMENT ON TABLE core.policy_closures IS 'One row per policy version that ended';
-- title: links between plans and accounts; append-only
-- grain: one row per plan and account it was ever seen to cover
CREATE TABLE IF NOT EXISTS core.plan_links (
    load_no BIGINT NOT NULL,
    plan_no BIGINT NOT NULL,
    account_no BIGINT NOT NULL,
    linked_on DATE NOT NULL
);
COMMENT ON TABLE core.plan_links IS 'One row per plan and account it was ever seen to cover; a link never ends, its plan does';
