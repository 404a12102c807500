-- title: Payt debtors, the customers of plans
-- grain: one row per received debtor, its newest copy
-- source: GET /v1/debtors; nothing of a person is read, only whether the debtor is paused
WITH received AS (
    SELECT * FROM payt__debtors
),
newest AS (
    SELECT id, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS place
    FROM received
    GROUP BY id
)
SELECT
    d.id AS customer_id,
    civil(d.paused_at) AS paused_on,
    civil(d.updated_at) AS updated_on
FROM received AS d
INNER JOIN newest AS n ON n.id = d.id AND n.place = struct_pack(d.page_no, d.position)
