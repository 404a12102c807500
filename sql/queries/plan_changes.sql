-- title: what versions of plans, their terms and the payments on their accounts say otherwise than the version before
-- grain: one row per plan, version first seen after load `since`, and column that differs; of a first version one row
-- source: versions and their closures: the version before is the one that a version's own load closed
CREATE OR REPLACE MACRO out.in_major(minor, unit) AS CAST(CAST(minor * coalesce(unit, 0.01) AS DECIMAL(20, 4)) AS VARCHAR);
CREATE OR REPLACE MACRO out.plan_changes(since) AS TABLE
WITH plans AS (
    SELECT k.plan_no, k.provider, k.tenant_id, k.plan_id, any_value(c.minor_unit) AS minor_unit
    FROM core.plan_keys AS k
    LEFT JOIN core.plan_versions AS v ON v.plan_no = k.plan_no
    LEFT JOIN meta.currencies AS c ON c.currency = v.currency
    WHERE k.plan_id <> ''
    GROUP BY ALL
),
links AS (
    SELECT plan_no, account_no FROM core.plan_links
    UNION
    SELECT plan_no, account_no FROM core.plan_versions WHERE account_no IS NOT NULL
),
plan_pairs AS (
    SELECT v AS later, p AS earlier, until.load_no AS until_no
    FROM core.plan_versions AS v
    LEFT JOIN core.plan_closures AS until ON until.row_no = v.row_no
    LEFT JOIN (
        SELECT b.*, c.load_no AS closed_no FROM core.plan_versions AS b INNER JOIN core.plan_closures AS c ON c.row_no = b.row_no
    ) AS p ON p.plan_no = v.plan_no AND p.closed_no = v.load_no
    WHERE v.load_no > since
),
term_pairs AS (
    SELECT v AS later, p AS earlier, until.load_no AS until_no
    FROM core.term_versions AS v
    LEFT JOIN core.term_closures AS until ON until.row_no = v.row_no
    LEFT JOIN (
        SELECT b.*, c.load_no AS closed_no FROM core.term_versions AS b INNER JOIN core.term_closures AS c ON c.row_no = b.row_no
    ) AS p ON p.plan_no = v.plan_no AND p.term_id = v.term_id AND p.closed_no = v.load_no
    WHERE v.load_no > since
),
payment_pairs AS (
    SELECT v AS later, p AS earlier, until.load_no AS until_no
    FROM core.payment_versions AS v
    LEFT JOIN core.payment_closures AS until ON until.row_no = v.row_no
    LEFT JOIN (
        SELECT b.*, c.load_no AS closed_no
        FROM core.payment_versions AS b
        INNER JOIN core.payment_closures AS c ON c.row_no = b.row_no
    ) AS p ON p.payment_no = v.payment_no AND p.closed_no = v.load_no
    WHERE v.load_no > since
),
cells AS (
    SELECT
        'plans' AS entity, later.plan_no AS plan_no, s.plan_id AS id, later.load_no AS load_no, until_no,
        earlier.row_no IS NULL AS is_first,
        unnest([
            meta.cell(NULL, NULL, NULL),
            meta.cell('currency', earlier.currency, later.currency),
            meta.cell('customer_id', earlier.customer_id, later.customer_id),
            meta.cell('created_on', earlier.created_on, later.created_on),
            meta.cell('updated_on', earlier.updated_on, later.updated_on),
            meta.cell('proposed_on', earlier.proposed_on, later.proposed_on),
            meta.cell('approved_on', earlier.approved_on, later.approved_on),
            meta.cell('rejected_on', earlier.rejected_on, later.rejected_on),
            meta.cell('deactivated_on', earlier.deactivated_on, later.deactivated_on),
            meta.cell('deleted_on', earlier.deleted_on, later.deleted_on),
            meta.cell('ended_on', earlier.ended_on, later.ended_on),
            meta.cell('removed_on', earlier.removed_on, later.removed_on),
            meta.cell('is_active', earlier.is_active, later.is_active),
            meta.cell('stated_total', out.in_major(earlier.stated_total_minor, s.minor_unit), out.in_major(later.stated_total_minor, s.minor_unit))
        ]) AS cell
    FROM plan_pairs
    INNER JOIN plans AS s ON s.plan_no = later.plan_no
    UNION ALL BY NAME
    SELECT
        'terms' AS entity, later.plan_no AS plan_no, later.term_id AS id, later.load_no AS load_no, until_no,
        earlier.row_no IS NULL AS is_first,
        unnest([
            meta.cell(NULL, NULL, NULL),
            meta.cell('due_date', earlier.due_date, later.due_date),
            meta.cell('nominal_due_date', earlier.nominal_due_date, later.nominal_due_date),
            meta.cell('amount', out.in_major(earlier.amount_minor, s.minor_unit), out.in_major(later.amount_minor, s.minor_unit)),
            meta.cell('provider_outstanding', out.in_major(earlier.provider_outstanding_minor, s.minor_unit), out.in_major(later.provider_outstanding_minor, s.minor_unit)),
            meta.cell('provider_paid_on', earlier.provider_paid_on, later.provider_paid_on),
            meta.cell('updated_on', earlier.updated_on, later.updated_on),
            meta.cell('removed_on', earlier.removed_on, later.removed_on),
            meta.cell('paid_by', w.payment_id, n.payment_id)
        ]) AS cell
    FROM term_pairs
    INNER JOIN plans AS s ON s.plan_no = later.plan_no
    LEFT JOIN core.payment_keys AS w ON w.payment_no = earlier.linked_payment_no
    LEFT JOIN core.payment_keys AS n ON n.payment_no = later.linked_payment_no
    UNION ALL BY NAME
    SELECT
        'payments' AS entity, l.plan_no, k.payment_id AS id, later.load_no AS load_no, until_no,
        earlier.row_no IS NULL AS is_first,
        unnest([
            meta.cell(NULL, NULL, NULL),
            meta.cell('currency', earlier.currency, later.currency),
            meta.cell('amount', out.in_major(earlier.amount_minor, c.minor_unit), out.in_major(later.amount_minor, c.minor_unit)),
            meta.cell('effective_date', earlier.effective_date, later.effective_date),
            meta.cell('planned_on', earlier.planned_on, later.planned_on),
            meta.cell('class', earlier.class, later.class),
            meta.cell('provider_status', earlier.provider_status, later.provider_status),
            meta.cell('reversed_on', earlier.reversed_on, later.reversed_on),
            meta.cell('reversed_amount', out.in_major(earlier.reversed_amount_minor, c.minor_unit), out.in_major(later.reversed_amount_minor, c.minor_unit)),
            meta.cell('removed_on', earlier.removed_on, later.removed_on)
        ]) AS cell
    FROM payment_pairs
    INNER JOIN links AS l ON l.account_no = later.account_no
    INNER JOIN core.payment_keys AS k ON k.payment_no = later.payment_no
    LEFT JOIN meta.currencies AS c ON c.currency = later.currency
)
SELECT
    p.provider, p.tenant_id, p.plan_id, v.entity, v.id, v.cell.name AS column_name, v.cell.was AS before,
    v.cell.now AS after, seen.loaded_at AS known_at, ended.loaded_at AS known_until, v.load_no
FROM cells AS v
INNER JOIN plans AS p ON p.plan_no = v.plan_no
INNER JOIN meta.loads AS seen ON seen.load_no = v.load_no
LEFT JOIN meta.loads AS ended ON ended.load_no = v.until_no
WHERE CASE WHEN v.is_first THEN v.cell.name IS NULL ELSE v.cell.was IS DISTINCT FROM v.cell.now END;
