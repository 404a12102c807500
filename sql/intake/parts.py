"""A large fetch in parts, so that its memory does not grow with it: which rows are in which part, and where parts wait.

Both are temporary tables, which the database moves to disk as it needs room.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count

import duckdb
import polars as pl

from sql.connection import lent, quoted

PART = 200_000
"""About how many rows of one entity are in a part."""

PARTED_BY = {
    "plans": "plan_id",
    "terms": "plan_id",
    "payments": "payment_id",
    "accounts": "account_id",
    "policies": "account_id",
    "customers": "customer_id",
}
"""The key by whose ranges a staged frame comes in parts: a plan is in one part with its terms."""

Frames = Mapping[str, pl.DataFrame]


@contextmanager
def away(con: duckdb.DuckDBPyConnection) -> Iterator[Callable[[Frames], Callable[[], Frames]]]:
    """Yield what puts frames away and returns what brings them back, once, as they were; nothing is kept after the block."""
    made: list[str] = []
    numbers = count()

    def put(frames: Frames) -> Callable[[], Frames]:
        tables: dict[str, tuple[str, pl.DataFrame]] = {}
        for name, frame in frames.items():
            table = f"away_{next(numbers)}"
            tables[name] = table, frame.clear()
            if frame.height:
                made.append(table)
                with lent(con, {"leaving": frame}):
                    con.execute(f"CREATE TEMP TABLE {table} AS FROM leaving")
        return partial(bring_back, tables)

    def bring_back(tables: Mapping[str, tuple[str, pl.DataFrame]]) -> Frames:
        return {name: taken(*table) for name, table in tables.items()}

    def taken(table: str, empty: pl.DataFrame) -> pl.DataFrame:
        if table not in made:
            return empty
        frame: pl.DataFrame = con.sql(f"FROM temp.{table}").pl().cast(dict(empty.schema))
        con.execute(f"DROP TABLE temp.{table}")
        made.remove(table)
        return frame

    try:
        yield put
    finally:
        for table in made:
            con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def put_in_order(con: duckdb.DuckDBPyConnection, name: str, source: str) -> None:
    """Make the table `part_<name>` of a query, in order of its key: a part is then read without looking at the others."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE part_{name} AS FROM ({source}) ORDER BY {PARTED_BY[name]} NULLS FIRST")


def ranges_of(con: duckdb.DuckDBPyConnection, parted: Iterable[str], parts: int) -> list[dict[str, str]]:
    """Return for each part which rows of each table, put in order of its key, are in it: the same keys of tables that share one.

    Of plans "1" to "9" in three parts, at "4" and "7": rows 0 to 3, 3 to 6 and from 6 on; of their 20 terms each, rows
    0 to 60 and so on. Rows without a key come first.
    """
    shares = [number / parts for number in range(1, parts)]
    bounds: dict[str, list[str]] = {}
    ranges: list[dict[str, str]] = [{} for _ in range(parts)]
    for name in parted:
        key = PARTED_BY[name]
        if key not in bounds:
            [[found]] = con.sql(f"SELECT quantile_disc({key}, {shares}) FROM temp.part_{name}").fetchall()
            bounds[key] = found or []
        before = [f"count(*) FILTER ({key} IS NULL OR {key} < {quoted(bound)})" for bound in bounds[key]]
        [counts] = con.sql(f"SELECT {', '.join([*before, 'count(*)'])} FROM temp.part_{name}").fetchall()
        starts = [0, *counts[:-1]] if before else [0] * parts
        ends = counts if before else [0] * (parts - 1) + [counts[-1]]
        for part, start, end in zip(ranges, starts, ends, strict=True):
            part[name] = f"WHERE rowid >= {start} AND rowid < {end}"
    return ranges
