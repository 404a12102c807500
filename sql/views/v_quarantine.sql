-- title: quarantine
-- grain: one row per rejection; position -1 is a whole page
-- source: meta.quarantine; money in major units, of two places where the currency is unknown
CREATE OR REPLACE VIEW main.v_quarantine AS
WITH rejections AS (
    SELECT
        load_no, provider, tenant_id, entity, page_sha256, page_no, "position", code, column_name, reason, row_key,
        "rows", amount_minor, currency, first_seen, last_seen, schema_version
    FROM meta.quarantine
),
replays AS (
    SELECT refused_load_no, page_no, "position", min(load_no) AS replay_load_no
    FROM meta.replayed
    GROUP BY refused_load_no, page_no, "position"
),
currencies AS (
    SELECT currency, minor_unit
    FROM meta.currencies
)
SELECT
    rejections.load_no, rejections.provider, rejections.tenant_id, rejections.entity, rejections.code,
    rejections.column_name, rejections.reason, rejections.row_key, rejections."rows",
    CAST(rejections.amount_minor * coalesce(currencies.minor_unit, 0.01) AS DECIMAL(20, 4)) AS amount,
    rejections.currency, rejections.first_seen, rejections.last_seen, rejections.page_sha256, rejections.page_no,
    rejections."position", rejections.schema_version,
    left(
        sha256(
            concat_ws(
                '|', rejections.provider, rejections.tenant_id, rejections.entity,
                coalesce(rejections.row_key, rejections.page_sha256 || '#' || rejections."position")
            )
        ),
        12
    ) AS row_id,
    replays.replay_load_no
FROM rejections
LEFT JOIN replays
    ON
        rejections.load_no = replays.refused_load_no
        AND rejections.page_no = replays.page_no
        AND rejections."position" = replays."position"
LEFT JOIN currencies ON rejections.currency = currencies.currency;
COMMENT ON VIEW main.v_quarantine IS 'One row per rejection: where the bytes lie and why they stayed out, never their values';
