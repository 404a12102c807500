-- title: acceptances of breaks
-- grain: one row per decision to accept a break or to take its acceptance back; never changed, the newest counts
CREATE TABLE IF NOT EXISTS meta.acceptances (
    acceptance_no BIGINT NOT NULL PRIMARY KEY, -- counts from 1 without gaps, in the order of the decisions
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    plan_id VARCHAR,
    code VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    owner VARCHAR,                             -- empty where it is taken back
    accepted_because VARCHAR,
    expires_on DATE,                           -- last as-of date on which it holds; empty: until it is taken back
    maximum_minor BIGINT,                      -- largest difference it covers; empty: any
    break_currency VARCHAR,
    accepted_at TIMESTAMPTZ NOT NULL,          -- when it became known: known-at refers to this
    accepted_by VARCHAR NOT NULL,
    is_withdrawn BOOLEAN NOT NULL
);
COMMENT ON TABLE meta.acceptances IS 'One row per decision to accept a break or to take its acceptance back; the newest on a break counts';
