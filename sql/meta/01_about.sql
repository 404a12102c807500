-- title: what this file is
-- grain: one row per fact about the file
CREATE TABLE IF NOT EXISTS meta.about (
    name VARCHAR NOT NULL PRIMARY KEY,
    value VARCHAR NOT NULL
);
COMMENT ON TABLE meta.about IS 'One row per fact about the file: schema version, folder the views read, what the views were made from';
