-- title: Payt debtors, the customers of plans
-- grain: one row per received debtor
-- source: GET /v1/debtors; nothing of a person is read, only whether the debtor is paused
WITH received AS (
    SELECT * FROM payt__debtors
),
repeats AS (
    SELECT id, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS newest
    FROM received
    WHERE id IN (SELECT id FROM received GROUP BY id HAVING count(*) > 1)
    GROUP BY id
),
dated AS (
    SELECT
        *,
        told[1] AS updated,
        told[2] AS paused
    FROM (SELECT *, days([updated_at, paused_at]) AS told FROM received)
)
SELECT
    'debtors' AS source,
    d.page_no,
    d.position,
    d.id AS customer_id,
    home_currency() AS currency,
    d.paused.day AS paused_on,
    d.updated.day AS updated_on,
    concat_ws(
        ',', d.paused.fault || 'paused_on', d.updated.fault || 'updated_on'
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN repeats AS r ON r.id = d.id
