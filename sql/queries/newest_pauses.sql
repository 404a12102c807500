-- title: what was last known of the pauses of customers that a fetch shows
-- grain: one row per customer of whom anything is known
-- source: core.customer_pauses
SELECT customer_id, max_by(struct_pack(day := paused_on), load_no).day AS was_paused_on
FROM core.customer_pauses
SEMI JOIN shown USING (customer_id)
WHERE provider = $provider AND tenant_id = $tenant_id
GROUP BY customer_id
