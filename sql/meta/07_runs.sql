-- title: runs
-- grain: one row per run that ended
CREATE TABLE IF NOT EXISTS meta.runs (
    run_no BIGINT NOT NULL PRIMARY KEY,    -- counts from 1, in the order the runs ended
    run_id VARCHAR NOT NULL UNIQUE,
    run_key VARCHAR NOT NULL,              -- hash of configuration, code schema version, as-of date, known-at
    as_of DATE NOT NULL,
    known_load BIGINT NOT NULL,            -- newest load the run looked at; 0: none
    known_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL,
    state VARCHAR NOT NULL CHECK (state IN ('PUBLISHED', 'HELD', 'FAILED')),
    reason VARCHAR NOT NULL,               -- why it was held or failed, else empty
    folder VARCHAR,                        -- path of the run folder from the folder of reports; empty: none was written
    exit_code BIGINT NOT NULL,
    moves_breaks BOOLEAN NOT NULL,         -- the register of breaks was replaced by this run
    summary JSON NOT NULL
);
COMMENT ON TABLE meta.runs IS 'One row per run that ended, published or not';
