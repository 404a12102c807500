-- title: what was received and where its bytes lie; append-only, the bytes themselves stay in the landing
-- grain: raw.pages one row per load and page that was read; raw.rows one row per load, page and position of a row that was
--   read and refused; raw.page_counts one row per load, page, entity and currency; raw.kept_pages one row per run of pages
--   that were not read
CREATE TABLE IF NOT EXISTS raw.pages (
    load_no BIGINT NOT NULL,
    page_no BIGINT NOT NULL,               -- counts through the snapshot from 0
    sweep VARCHAR NOT NULL,
    entity VARCHAR NOT NULL,               -- the provider's entity
    page_sha256 VARCHAR NOT NULL,
    "rows" BIGINT NOT NULL                 -- top-level rows, rejected ones included
);
ALTER TABLE raw.pages ADD COLUMN IF NOT EXISTS is_counted BOOLEAN; -- its rows are in raw.page_counts; empty: before these were kept
COMMENT ON TABLE raw.pages IS 'One row per load and page: the hash that names its bytes in the landing';
CREATE TABLE IF NOT EXISTS raw.rows (
    load_no BIGINT NOT NULL,
    page_no BIGINT NOT NULL,
    "position" BIGINT NOT NULL,
    row_hash UBIGINT NOT NULL              -- first 64 bits of the SHA-256 of the row's bytes
);
COMMENT ON TABLE raw.rows IS 'One row per received row that was read and stays out: hash of its bytes; earlier programs stored every row';
CREATE TABLE IF NOT EXISTS raw.page_counts (
    load_no BIGINT NOT NULL,
    page_no BIGINT NOT NULL,
    entity VARCHAR NOT NULL,
    currency VARCHAR,
    fetched BIGINT NOT NULL,
    amount_fetched_minor BIGINT            -- empty: the rows carry no money
);
COMMENT ON TABLE raw.page_counts IS 'One row per load, page, entity and currency: the rows of the page and their money';
CREATE TABLE IF NOT EXISTS raw.kept_pages (
    load_no BIGINT NOT NULL,
    page_no BIGINT NOT NULL,               -- the first of the run
    pages BIGINT NOT NULL,                 -- how many follow each other, here and there
    like_load_no BIGINT NOT NULL,          -- the load that read them
    like_page_no BIGINT NOT NULL           -- the first of them there
);
COMMENT ON TABLE raw.kept_pages IS 'One row per load and run of pages that count as they did when an earlier load read them';
