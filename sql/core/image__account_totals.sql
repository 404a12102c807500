-- title: what accounts were worth when they were made, as known at a load
-- grain: one row per account that the provider states a total for
-- source: core.account_versions without those closed by then
SELECT account_no, currency, total_minor AS account_total_minor
FROM core.account_versions
ANTI JOIN (SELECT row_no FROM core.account_closures WHERE load_no <= $known) USING (row_no)
WHERE load_no <= $known AND total_minor IS NOT NULL
ORDER BY account_no
