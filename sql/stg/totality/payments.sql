-- title: Totality payments
-- grain: one row per received payment of a loan
-- source: GET payments (list assumed); promises and pre-notes are listed and are no money
WITH received AS (
    SELECT * FROM totality__payments
),
repeats AS (
    SELECT uuid, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS newest
    FROM received
    WHERE uuid IN (SELECT uuid FROM received GROUP BY uuid HAVING count(*) > 1)
    GROUP BY uuid
),
dated AS (
    SELECT
        *,
        told[1] AS created,
        told[2] AS updated,
        told[3] AS processed,
        told[4] AS posted,
        told[5] AS settled,
        told[6] AS returned,
        told[7] AS planned
    FROM (
        SELECT
            *, days([created_at, updated_at, processed_at, posted_at, settled_on, returned_at, to_be_posted_at]) AS told
        FROM received
    )
)
SELECT
    'payments' AS source,
    d.page_no,
    d.position,
    d.uuid AS payment_id,
    '' AS share,
    d.loan_uuid AS account_id,
    home_currency() AS currency,
    d.amount AS amount_units,
    coalesce(d.processed.day, d.posted.day, d.settled.day, d.created.day) AS effective_date,
    CASE
        WHEN d.processed.day IS NOT NULL THEN d.processed.moment
        WHEN d.posted.day IS NOT NULL THEN d.posted.moment
        WHEN d.settled.day IS NOT NULL THEN d.settled.moment
        ELSE d.created.moment
    END AS effective_at,
    coalesce(d.created.day, d.processed.day, d.posted.day, d.settled.day) AS created_on,
    d.planned.day AS planned_on,
    false AS is_first_sight,
    c.class,
    d.status AS provider_status,
    coalesce(d.returned.day, d.updated.day) AS reversed_on,
    CASE WHEN d.returned.day IS NOT NULL THEN d.returned.moment ELSE d.updated.moment END AS reversed_at,
    d.fees AS fees_units,
    NOT (coalesce(d.is_promise, false) OR coalesce(d.is_prenote, false)) AS is_money,
    concat_ws(
        ',',
        d.created.fault || 'created_on',
        d.updated.fault || 'updated_on',
        d.processed.fault || 'effective_date',
        d.posted.fault || 'effective_date',
        d.settled.fault || 'effective_date',
        d.returned.fault || 'reversed_on',
        d.planned.fault || 'planned_on'
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN status_classes AS c ON c.entity = 'payments' AND c.status = d.status
LEFT JOIN repeats AS r ON r.uuid = d.uuid
