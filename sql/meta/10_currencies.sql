-- title: what one minor unit is worth in major units
-- grain: one row per ISO 4217 currency; filled from the one list of the program
CREATE TABLE IF NOT EXISTS meta.currencies (
    currency VARCHAR NOT NULL PRIMARY KEY,
    minor_unit DECIMAL(5, 4) NOT NULL
);
COMMENT ON TABLE meta.currencies IS 'One row per ISO 4217 currency: what one minor unit is worth in major units';
