"""Keep how the figures of plans went over the published runs: of each run, the plans that changed.

Runs of a date before the newest published one stand beside the history. A plan that stays as it is, or is past due and a day
older each day, costs nothing, so a year of days is little more than what happened in it.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import polars as pl

from sql.scripts import statements

RECENT = 30
"""Newest runs whose history readers have beside the reports; the warehouse has all."""

ROWS_AT_ONCE = 50_000

NAME = "plan_history"


def changed_plans(con: duckdb.DuckDBPyConnection, plans: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the rows of `meta.plan_history`, without their run, that a run with these plans adds.

    Args:
        con: The warehouse.
        plans: The report `plans` as its Parquet holds it.
        as_of: The date of the run.
    """
    shape = con.sql(f"SELECT * EXCLUDE (run_id, is_listed, is_changed) FROM meta.{NAME} WHERE false").columns
    days = pl.col("days_past_due")
    is_late = (days > 0).fill_null(value=False)
    counted = plans.with_columns(
        late_since=pl.when(is_late).then(pl.col("as_of").dt.offset_by(pl.format("-{}d", days))),
        days_past_due=pl.when(~is_late).then(days),
    )
    con.register("now_listed", counted.select(shape))
    try:
        found: pl.DataFrame = con.sql(statements("past/changed_plans.sql"), params={"as_of": as_of}).pl()
    finally:
        con.unregister("now_listed")
    return found


def recent_history(con: duckdb.DuckDBPyConnection) -> tuple[Iterator[Any], int]:
    """Return the history of the newest runs in streams, for it is longer than all else, and the number of the first of them.

    The streams have the columns of `meta.plan_history`. One has the rows of these runs, the other of each plan in them
    its row before.
    """
    newest = (
        f"SELECT coalesce(min(run_no), 0) FROM (SELECT run_no FROM meta.leading_runs() WHERE run_no >= "
        f"(SELECT min(run_no) FROM meta.runs SEMI JOIN meta.{NAME} USING (run_id)) ORDER BY run_no DESC LIMIT {RECENT})"
    )
    since: int = con.sql(newest).fetchall()[0][0]
    rows = (
        con.sql(statements(f"past/{query}.sql"), params={"since": since}).to_arrow_reader(ROWS_AT_ONCE)
        for query in ("recent_history", "history_before")
    )
    return rows, since
