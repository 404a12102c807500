-- title: what providers say they deleted
-- grain: one row per entity and key
SELECT * FROM stg_payt__deletions
