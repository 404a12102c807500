"""Keep how the figures of plans went over the published runs: of each run, the plans that changed.

Runs of a date before the newest published one stand beside the history. A plan that stays as it is, or is past due and a day
older each day, costs nothing, so a year of days is little more than what happened in it.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import polars as pl

from schemas.currencies import DEFAULT_PLACES, EXPONENTS, minor_units
from sql.core.short_ids import short
from sql.scripts import create_tables, statements

RECENT = 30
"""Newest runs whose history readers have beside the reports; the warehouse has all."""

ROWS_AT_ONCE = 50_000

NAME = "plan_history"

_MONEY = ("amount", "received", "outstanding", "amount_due", "overdue", "overdue_past_grace", "pending")


def changed_plans(con: duckdb.DuckDBPyConnection, plans: pl.LazyFrame, as_of: date) -> pl.DataFrame:
    """Return the rows of `meta.plan_history`, without their run, that a run with these plans adds.

    Args:
        con: The warehouse.
        plans: The report `plans` as its Parquet holds it.
        as_of: The date of the run.
    """
    ours = "run_id, plan_number, plan_text, is_listed, is_changed"
    shape = con.sql(f"SELECT * EXCLUDE ({ours}) FROM meta.{NAME} WHERE false").columns
    days = pl.col("days_past_due")
    is_late = (days > 0).fill_null(value=False)
    counted = _in_minor_units(plans).with_columns(
        late_since=pl.when(is_late).then(pl.col("as_of").dt.offset_by(pl.format("-{}d", days))),
        days_past_due=pl.when(~is_late).then(days),
    )
    con.register("now_listed", counted.select(shape).collect())
    try:
        found: pl.DataFrame = con.sql(statements("past/changed_plans.sql"), params={"as_of": as_of}).pl()
    finally:
        con.unregister("now_listed")
    return found


def as_stored(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with their money in minor units; those of reports, and of archives of earlier versions, have it in major ones."""
    return _in_minor_units(rows.lazy()).collect()


def _in_minor_units(rows: pl.LazyFrame) -> pl.LazyFrame:
    there = rows.collect_schema()
    major = [name for name in _MONEY if name in there]
    return rows.with_columns(minor_units(name).alias(f"{name}_minor") for name in major).drop(major)


def narrow_stored(con: duckdb.DuckDBPyConnection) -> None:
    """Make anew the history that an earlier program kept with its ids as text and its money in major units."""
    asked = f"SELECT 1 FROM duckdb_columns() WHERE schema_name = 'meta' AND table_name = '{NAME}' AND column_name = 'amount'"
    if not con.sql(asked).fetchall():
        return
    con.execute(f"ALTER TABLE meta.{NAME} RENAME TO {NAME}_before")
    create_tables(con, ("meta",))
    scales = {"currency": list(EXPONENTS), "scale": [10**places for places in EXPONENTS.values()]}
    minor = (f"CAST({name} * coalesce(scale, {10**DEFAULT_PLACES}) AS BIGINT) AS {name}_minor" for name in _MONEY)
    con.register("scales", pl.DataFrame(scales))
    con.execute(
        f"INSERT INTO meta.{NAME} BY NAME SELECT b.* EXCLUDE (plan_id, {', '.join(_MONEY)}), {short('plan')}, "
        f"{', '.join(minor)} FROM meta.{NAME}_before AS b LEFT JOIN scales ON scales.currency = b.currency"
    )
    con.unregister("scales")
    con.execute(f"DROP TABLE meta.{NAME}_before")


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
