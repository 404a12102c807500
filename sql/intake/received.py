"""The rows of a tenant's pages in temporary tables, one per received table of its provider.

Nothing is renamed, cast or judged here: a column says what the provider said.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any

import duckdb
import polars as pl

from sql.connection import lent, transaction

TYPES: Mapping[str, str] = {"text": "VARCHAR", "bool": "BOOLEAN", "bigint": "BIGINT"}
"""Types of received columns in tables, by the words their declaration uses."""

_DTYPES: Mapping[str, pl.DataType] = {"text": pl.String(), "bool": pl.Boolean(), "bigint": pl.Int64()}
"""Types of received columns in frames, by the words their declaration uses."""

TABLE_ROWS = 50_000
"""Rows that wait as Python values before they are put into a table."""

Decoded = Mapping[str, Mapping[str, Sequence[Any]]]
"""The columns of each received table that one page fills."""


@contextmanager
def received(
    con: duckdb.DuckDBPyConnection,
    pages: Iterable[tuple[int, Decoded]],
    declared: Mapping[str, Mapping[str, str]],
) -> Iterator[dict[str, int]]:
    """Keep the rows of a tenant's pages, each with its page_no, in temporary tables while the block runs.

    `declared` gives the columns of each table the provider fills and their types (text, bool, bigint);
    `page_no` comes before them. Rows stand in the order of pages, rows and children. Yields how many rows each table
    has; those that no page brought are there, empty. What waits to be put there is bounded, however many pages come.

    Raises:
        KeyError: a decoded table is not declared.
    """
    with _tables(con, declared):
        filling = _Filling(con, declared)
        with transaction(con):  # each commit of a part of a table copies that part once more
            for page_no, page in pages:
                filling.add(page_no, page)
            filling.end()
        yield {name: filling.rows[name] for name in declared}


@contextmanager
def as_received(con: duckdb.DuckDBPyConnection, frames: Mapping[str, pl.DataFrame]) -> Iterator[dict[str, int]]:
    """Keep these frames, typed by `received_types`, as received tables while the block runs; yields rows per table."""
    words = {dtype: word for word, dtype in _DTYPES.items()}
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
    with lent(con, {"places": places}):
        for name in rows:
            con.execute(
                f"DELETE FROM temp.{name} WHERE (page_no, position) IN (SELECT (page_no, position) FROM places)"
            )
    return {name: _height(con, name) for name in rows}


def received_types(columns: Mapping[str, str]) -> dict[str, pl.DataType]:
    """Return the dtypes of a received table with these declared columns, `page_no` first."""
    return {"page_no": pl.Int64()} | {name: _DTYPES[kind] for name, kind in columns.items()}


@contextmanager
def _tables(con: duckdb.DuckDBPyConnection, declared: Mapping[str, Mapping[str, str]]) -> Iterator[None]:
    try:
        for name, columns in declared.items():
            typed = ", ".join(f'"{column}" {TYPES[kind]}' for column, kind in columns.items())
            con.execute(f"CREATE OR REPLACE TEMP TABLE {name} (page_no BIGINT, {typed})")
        yield
    finally:
        for name in declared:
            con.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _insert(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    with lent(con, {"decoded": frame}):
        con.execute(f"INSERT INTO temp.{name} BY NAME FROM decoded")


def _height(con: duckdb.DuckDBPyConnection, name: str) -> int:
    [[height]] = con.sql(f"SELECT count(*) FROM temp.{name}").fetchall()
    return int(height)


class _Filling:
    """Fills the received tables from pages, many at once, and counts their `rows`: each insertion costs the same time, however few rows it has."""

    def __init__(self, con: duckdb.DuckDBPyConnection, declared: Mapping[str, Mapping[str, str]]) -> None:
        self._con = con
        self._waiting = {name: _Waiting(received_types(columns)) for name, columns in declared.items()}
        self.rows: Counter[str] = Counter()

    def add(self, page_no: int, tables: Decoded) -> None:
        """Take the rows of a page."""
        for name, columns in tables.items():
            waiting = self._waiting[name]
            waiting.add(page_no, columns)
            if waiting.height >= TABLE_ROWS:
                self._insert(name)

    def end(self) -> None:
        """Put into the tables what still waits."""
        for name, waiting in self._waiting.items():
            if waiting.height:
                self._insert(name)

    def _insert(self, name: str) -> None:
        frame = self._waiting[name].frame()
        _insert(self._con, name, frame)
        self.rows[name] += frame.height


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
