-- title: what was received and where its bytes lie; append-only, the bytes themselves stay in the landing
-- grain: raw.pages one row per load and page; raw.rows one row per load, page and position of a row that was read and refused
CREATE TABLE IF NOT EXISTS raw.pages (
    load_no BIGINT NOT NULL,
    page_no BIGINT NOT NULL,               -- counts through the snapshot from 0
    sweep VARCHAR NOT NULL,
    entity VARCHAR NOT NULL,               -- the provider's entity
    page_sha256 VARCHAR NOT NULL,
    "rows" BIGINT NOT NULL                 -- top-level rows, rejected ones included
);
COMMENT ON TABLE raw.pages IS 'One row per load and page: the hash that names its bytes in the landing';
CREATE TABLE IF NOT EXISTS raw.rows (
    load_no BIGINT NOT NULL,
    page_no BIGINT NOT NULL,
    "position" BIGINT NOT NULL,
    row_hash UBIGINT NOT NULL              -- first 64 bits of the SHA-256 of the row's bytes
);
COMMENT ON TABLE raw.rows IS 'One row per received row that was read and stays out: hash of its bytes; earlier programs stored every row';
