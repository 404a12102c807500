-- title: the rows of pages that count as they did when an earlier load read them
-- grain: one row per entity and currency
-- source: raw.page_counts of the runs of pages; each row came again and is counted as a repeat
SELECT
    c.entity,
    c.currency,
    sum(c.fetched) AS fetched,
    0 AS quarantined,
    sum(c.fetched) AS repeated,
    0 AS unreadable,
    sum(c.amount_fetched_minor) AS amount_fetched_minor,
    CASE WHEN count(c.amount_fetched_minor) > 0 THEN 0 END AS amount_quarantined_minor,
    sum(c.amount_fetched_minor) AS amount_repeated_minor
FROM runs AS r
INNER JOIN raw.page_counts AS c
    ON c.load_no = r.like_load_no AND c.page_no BETWEEN r.like_page_no AND r.like_page_no + r.pages - 1
GROUP BY c.entity, c.currency
ORDER BY c.entity, c.currency
