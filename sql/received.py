"""The rows of a tenant's pages as typed frames, one per received table of its provider.

Nothing is renamed, cast or judged here: a column says what the provider said.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import polars as pl

_TYPES: Mapping[str, pl.DataType] = {"text": pl.String(), "bool": pl.Boolean(), "bigint": pl.Int64()}
"""Types of received columns, by the words their declaration uses."""

FRAME_ROWS = 50_000
"""Rows that wait as Python values before they become a frame."""


def received(
    pages: Iterable[tuple[int, Mapping[str, Mapping[str, Sequence[Any]]]]], declared: Mapping[str, Mapping[str, str]]
) -> dict[str, pl.DataFrame]:
    """Return one typed frame per declared table from (page_no, decoded tables) of a tenant's pages.

    `declared` gives the columns of each table the provider fills and their types (text, bool, bigint);
    `page_no` comes beside them. Tables that no page brought are there, empty.

    Raises:
        KeyError: a decoded table is not declared.
    """
    gathered = {name: _Gathered(received_types(columns)) for name, columns in declared.items()}
    for page_no, tables in pages:
        for name, columns in tables.items():
            gathered[name].add(page_no, columns)
    return {name: table.frame() for name, table in gathered.items()}


def received_types(columns: Mapping[str, str]) -> dict[str, pl.DataType]:
    """Return the dtypes of a received table with these declared columns, `page_no` first."""
    return {"page_no": pl.Int64()} | {name: _TYPES[kind] for name, kind in columns.items()}


class _Gathered:
    """The rows of one received table; a frame is made of many pages at once, because each frame costs the same time."""

    def __init__(self, dtypes: Mapping[str, pl.DataType]) -> None:
        self._dtypes = dict(dtypes)
        self._frames = [pl.DataFrame(schema=self._dtypes)]
        self._page_no: list[int] = []
        self._waiting: dict[str, list[Any]] = {name: [] for name in dtypes if name != "page_no"}

    def add(self, page_no: int, columns: Mapping[str, Sequence[Any]]) -> None:
        """Take the rows of one page; every column of the table but `page_no`."""
        for name, waiting in self._waiting.items():
            waiting.extend(columns[name])
        self._page_no.extend(repeat(page_no, len(columns["position"])))
        if len(self._page_no) >= FRAME_ROWS:
            self._make()

    def frame(self) -> pl.DataFrame:
        """Return all rows in the order they came."""
        self._make()
        return pl.concat(self._frames)

    def _make(self) -> None:
        if self._page_no:
            self._frames.append(pl.DataFrame({**self._waiting, "page_no": self._page_no}, schema=self._dtypes))
            for waiting in (self._page_no, *self._waiting.values()):
                waiting.clear()
