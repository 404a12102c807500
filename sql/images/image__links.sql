-- title: terms that name the payment which paid them, as known at a load
-- grain: one row per plan and payment
-- source: core.term_versions without those closed by then
WITH versions AS (
    SELECT plan_no, linked_payment_no
    FROM core.term_versions
    ANTI JOIN (SELECT row_no FROM core.term_closures WHERE load_no <= $known) USING (row_no)
    WHERE load_no <= $known AND linked_payment_no IS NOT NULL
)
SELECT DISTINCT plan_no, linked_payment_no
FROM versions
ORDER BY plan_no, linked_payment_no
