-- title: Payt debtors, the customers of plans
-- grain: one row per received debtor
-- source: GET /v1/debtors; nothing of a person is read, only whether the debtor is paused
WITH received AS (
    SELECT * FROM payt__debtors
),
repeats AS (
    SELECT id, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS newest
    FROM received
    GROUP BY id
    HAVING count(*) > 1
),
dated AS (
    SELECT *, civil(paused_at) AS paused_on, civil(updated_at) AS updated_on FROM received
)
SELECT
    'debtors' AS source,
    d.page_no,
    d.position,
    d.id AS customer_id,
    home_currency() AS currency,
    d.paused_on,
    d.updated_on,
    concat_ws(
        ',', unread('paused_on', d.paused_at, d.paused_on), unread('updated_on', d.updated_at, d.updated_on)
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN repeats AS r ON r.id = d.id
