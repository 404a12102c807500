-- title: Payt payment plans
-- grain: one row per received payment plan
-- source: GET /v1/payment_plans
WITH received AS (
    SELECT * FROM payt__payment_plans
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
        told[1] AS created,
        told[2] AS updated,
        told[3] AS proposed,
        told[4] AS approved,
        told[5] AS rejected,
        told[6] AS deactivated
    FROM (SELECT *, days([created_at, updated_at, proposed_at, approved_at, rejected_at, deactivated_at]) AS told FROM received)
)
SELECT
    'payment_plans' AS source,
    d.page_no,
    d.position,
    d.id AS plan_id,
    d.debtor_id AS customer_id,
    home_currency() AS currency,
    'PROVIDER_BALANCE' AS basis,
    d.created.day AS created_on,
    d.created.moment AS created_at,
    d.updated.day AS updated_on,
    d.updated.moment AS updated_at,
    d.proposed.day AS proposed_on,
    d.approved.day AS approved_on,
    d.rejected.day AS rejected_on,
    d.deactivated.day AS deactivated_on,
    d.active AS is_active,
    'BY_DATES' AS cadence,
    false AS is_derived,
    concat_ws(
        ',',
        d.created.fault || 'created_on',
        d.updated.fault || 'updated_on',
        d.proposed.fault || 'proposed_on',
        d.approved.fault || 'approved_on',
        d.rejected.fault || 'rejected_on',
        d.deactivated.fault || 'deactivated_on'
    ) AS unreadable,
    coalesce(struct_pack(d.page_no, d.position) <> r.newest, false) AS is_repeat
FROM dated AS d
LEFT JOIN repeats AS r ON r.id = d.id
