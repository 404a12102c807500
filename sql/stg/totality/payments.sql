-- title: Totality payments
-- grain: one row per received payment of a loan
-- source: GET payments (list assumed); promises and pre-notes are listed and are no money
WITH received AS (
    SELECT * FROM totality__payments
),
repeats AS (
    SELECT uuid, max_by(struct_pack(page_no, position), (coalesce(moment(updated_at), '-infinity'), page_no, position)) AS newest
    FROM received
    GROUP BY uuid
    HAVING count(*) > 1
),
dated AS (
    SELECT
        *,
        civil(created_at) AS created_on,
        civil(updated_at) AS updated_on,
        civil(processed_at) AS processed_on,
        civil(posted_at) AS posted_on,
        civil(settled_on) AS settled_day,
        civil(returned_at) AS returned_on,
        civil(to_be_posted_at) AS planned_on
    FROM received
)
SELECT
    'payments' AS source,
    d.page_no,
    d.position,
    d.uuid AS payment_id,
    '' AS share,
    d.loan_uuid AS account_id,
    home_currency() AS currency,
    CAST(NULL AS VARCHAR) AS amount,
    d.amount AS amount_units,
    coalesce(d.processed_on, d.posted_on, d.settled_day, d.created_on) AS effective_date,
    timed(
        CASE
            WHEN d.processed_on IS NOT NULL THEN d.processed_at
            WHEN d.posted_on IS NOT NULL THEN d.posted_at
            WHEN d.settled_day IS NOT NULL THEN d.settled_on
            ELSE d.created_at
        END
    ) AS effective_at,
    coalesce(d.created_on, d.processed_on, d.posted_on, d.settled_day) AS created_on,
    d.planned_on,
    false AS is_first_sight,
    c.class,
    d.status AS provider_status,
    coalesce(d.returned_on, d.updated_on) AS reversed_on,
    timed(CASE WHEN d.returned_on IS NOT NULL THEN d.returned_at ELSE d.updated_at END) AS reversed_at,
    d.fees AS fees_units,
    NOT (coalesce(d.is_promise, false) OR coalesce(d.is_prenote, false)) AS is_money,
    concat_ws(
        ',',
        unread('created_on', d.created_at, d.created_on),
        unread('updated_on', d.updated_at, d.updated_on),
        unread('effective_date', d.processed_at, d.processed_on),
        unread('effective_date', d.posted_at, d.posted_on),
        unread('effective_date', d.settled_on, d.settled_day),
        unread('reversed_on', d.returned_at, d.returned_on),
        unread('planned_on', d.to_be_posted_at, d.planned_on)
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN status_classes AS c ON c.entity = 'payments' AND c.status = d.status
LEFT JOIN repeats AS r ON r.uuid = d.uuid
