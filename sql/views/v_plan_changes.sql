-- title: what providers said of a plan, its terms and the payments on its accounts, version by version
-- grain: one row per plan, version of a row, and column that differs from the version before; of a first version one row
-- source: the versions in the warehouse; beside the reports what became known since the oldest of the newest runs
CREATE OR REPLACE VIEW main.v_plan_changes AS
SELECT provider, tenant_id, plan_id, entity, id, column_name, before, after, known_at, known_until, load_no
FROM out.plan_changes(0);
COMMENT ON VIEW main.v_plan_changes IS 'One row per plan, version of the plan, of a term or of a payment on its accounts, and column that differs from the version before';
