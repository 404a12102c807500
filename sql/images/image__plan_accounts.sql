-- title: links between plans and accounts up to a load
-- grain: one row per plan and account it was ever seen to cover
-- source: core.plan_links
SELECT plan_no, account_no, min(linked_on) AS linked_on
FROM core.plan_links
WHERE load_no <= $known
GROUP BY plan_no, account_no
ORDER BY plan_no, account_no
