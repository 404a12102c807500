"""Keep how the figures of plans went over the published runs: of each run, the plans that changed.

Runs of a date before the newest published one stand beside the history. A plan that stays as it is costs nothing,
so a year of days is little more than what happened in it.
"""

import duckdb
import polars as pl

from sql.scripts import statements

RECENT = 30
"""Newest runs whose history readers have beside the reports; the warehouse has all."""

NAME = "plan_history"


def changed_plans(con: duckdb.DuckDBPyConnection, plans: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `meta.plan_history`, without their run, that a run with these plans adds.

    Args:
        con: The warehouse.
        plans: The report `plans` as its Parquet holds it.
    """
    shape = con.sql(f"SELECT * EXCLUDE (run_id, is_listed) FROM meta.{NAME} WHERE false").columns
    con.register("now_listed", plans.select(shape))
    try:
        found: pl.DataFrame = con.sql(statements("past/changed_plans.sql")).pl()
    finally:
        con.unregister("now_listed")
    return found


def recent_history(con: duckdb.DuckDBPyConnection) -> tuple[pl.DataFrame, int]:
    """Return the history of the newest runs, and the number of the first of them."""
    newest = (
        f"SELECT coalesce(min(run_no), 0) FROM (SELECT run_no FROM meta.leading_runs() WHERE run_no >= "
        f"(SELECT min(run_no) FROM meta.runs SEMI JOIN meta.{NAME} USING (run_id)) ORDER BY run_no DESC LIMIT {RECENT})"
    )
    since: int = con.sql(newest).fetchall()[0][0]
    found: pl.DataFrame = con.sql(statements("past/recent_history.sql"), params={"since": since}).pl()
    return found, since
