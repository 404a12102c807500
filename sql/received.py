"""The rows of a tenant's pages in temporary tables, one per received table of its provider.

Nothing is renamed, cast or judged here: a column says what the provider said.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any

import duckdb
import polars as pl

_TYPES: Mapping[str, tuple[pl.DataType, str]] = {
    "text": (pl.String(), "VARCHAR"),
    "bool": (pl.Boolean(), "BOOLEAN"),
    "bigint": (pl.Int64(), "BIGINT"),
}
"""Types of received columns, of frames and of tables, by the words their declaration uses."""

TABLE_ROWS = 50_000
"""Rows that wait as Python values before they are put into a table."""

Decoded = Mapping[str, Mapping[str, Sequence[Any]]]
"""The columns of each received table that one page fills."""


@contextmanager
def received(
    con: duckdb.DuckDBPyConnection, pages: Iterable[tuple[int, Decoded]], declared: Mapping[str, Mapping[str, str]]
) -> Iterator[dict[str, int]]:
    """Keep the rows of (page_no, decoded tables) of a tenant's pages in temporary tables while the block runs.

    `declared` gives the columns of each table the provider fills and their types (text, bool, bigint);
    `page_no` comes before them. Yields how many rows each table has; those that no page brought are there, empty.

    Raises:
        KeyError: a decoded table is not declared.
    """
    waiting = {name: _Waiting(received_types(columns)) for name, columns in declared.items()}
    with _tables(con, declared):
        for page_no, tables in pages:
            for name, columns in tables.items():
                waiting[name].add(page_no, columns)
                if waiting[name].height >= TABLE_ROWS:
                    _insert(con, name, waiting[name].frame())
        for name, rows in waiting.items():
            if rows.height:
                _insert(con, name, rows.frame())
        yield {name: _height(con, name) for name in declared}


@contextmanager
def as_received(con: duckdb.DuckDBPyConnection, frames: Mapping[str, pl.DataFrame]) -> Iterator[dict[str, int]]:
    """Keep these frames, typed by `received_types`, as received tables while the block runs; yields rows per table."""
    words = {dtype: word for word, (dtype, _) in _TYPES.items()}
    declared = {
        name: {column: words[dtype] for column, dtype in frame.schema.items() if column != "page_no"}
        for name, frame in frames.items()
    }
    with _tables(con, declared):
        for name, frame in frames.items():
            _insert(con, name, frame)
        yield {name: frame.height for name, frame in frames.items()}


def without(con: duckdb.DuckDBPyConnection, rows: Mapping[str, int], places: pl.DataFrame) -> dict[str, int]:
    """Take the rows at these page_no and position, children included, out of the tables; return rows per table."""
    con.register("places", places)
    try:
        for name in rows:
            con.execute(
                f"DELETE FROM temp.{name} WHERE (page_no, position) IN (SELECT (page_no, position) FROM places)"
            )
    finally:
        con.unregister("places")
    return {name: _height(con, name) for name in rows}


def received_types(columns: Mapping[str, str]) -> dict[str, pl.DataType]:
    """Return the dtypes of a received table with these declared columns, `page_no` first."""
    return {"page_no": pl.Int64()} | {name: _TYPES[kind][0] for name, kind in columns.items()}


@contextmanager
def _tables(con: duckdb.DuckDBPyConnection, declared: Mapping[str, Mapping[str, str]]) -> Iterator[None]:
    try:
        for name, columns in declared.items():
            typed = ", ".join(f'"{column}" {_TYPES[kind][1]}' for column, kind in columns.items())
            con.execute(f"CREATE OR REPLACE TEMP TABLE {name} (page_no BIGINT, {typed})")
        yield
    finally:
        for name in declared:
            con.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _insert(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    con.register("decoded", frame)
    try:
        con.execute(f"INSERT INTO temp.{name} BY NAME FROM decoded")
    finally:
        con.unregister("decoded")


def _height(con: duckdb.DuckDBPyConnection, name: str) -> int:
    [[height]] = con.sql(f"SELECT count(*) FROM temp.{name}").fetchall()
    return int(height)


class _Waiting:
    """Rows of one received table; many pages go into it at once, because each insertion costs the same time."""

    def __init__(self, dtypes: Mapping[str, pl.DataType]) -> None:
        self._dtypes = dict(dtypes)
        self._page_no: list[int] = []
        self._columns: dict[str, list[Any]] = {name: [] for name in dtypes if name != "page_no"}

    @property
    def height(self) -> int:
        """Return how many rows wait."""
        return len(self._page_no)

    def add(self, page_no: int, columns: Mapping[str, Sequence[Any]]) -> None:
        """Take the rows of one page; every column of the table but `page_no`."""
        for name, column in self._columns.items():
            column.extend(columns[name])
        self._page_no.extend(repeat(page_no, len(columns["position"])))

    def frame(self) -> pl.DataFrame:
        """Return the rows in the order they came, and wait for others."""
        frame = pl.DataFrame({**self._columns, "page_no": self._page_no}, schema=self._dtypes)
        for column in (self._page_no, *self._columns.values()):
            column.clear()
        return frame
