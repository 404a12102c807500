-- title: fetches
-- grain: one row per load and sweep
CREATE TABLE IF NOT EXISTS meta.fetches (
    load_no BIGINT NOT NULL,
    provider VARCHAR NOT NULL,
    tenant_id VARCHAR NOT NULL,
    sweep VARCHAR NOT NULL,
    since TIMESTAMPTZ,                     -- empty: everything was asked for
    complete BOOLEAN NOT NULL,
    reason VARCHAR NOT NULL,               -- why it is not complete, else empty
    pages BIGINT NOT NULL,
    "rows" BIGINT NOT NULL,                -- top-level rows, rejected ones included
    started_clock TIMESTAMPTZ,             -- the provider's clock at the first answer
    clock_skew_seconds BIGINT,             -- how far it was ahead of ours then, below zero where behind; empty: unknown
    watermark TIMESTAMPTZ                  -- where the next sweep may start; empty: it must ask for everything
);
COMMENT ON TABLE meta.fetches IS 'One row per load and sweep: what was asked, how far it came, where the next one starts';
