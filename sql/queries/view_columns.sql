-- title: columns of the views users see
-- grain: one row per view and column
-- source: the catalogue
SELECT table_name, column_name
FROM duckdb_columns()
WHERE schema_name = 'main' AND table_name LIKE 'v!_%' ESCAPE '!'
ORDER BY table_name, column_index
