-- title: what an administration says of itself: its zone and its currency, and where they stand
-- grain: one row, none where the administration was not received
-- source: GET /v1/administrations
SELECT
    'administrations' AS entity,
    'timezone' AS zone_field,
    trim(coalesce(timezone, '')) AS zone,
    'currency_code' AS currency_field,
    trim(coalesce(currency_code, '')) AS currency
FROM payt__administrations
WHERE id = getvariable('tenant_id')
ORDER BY page_no DESC, position DESC
LIMIT 1
