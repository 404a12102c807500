"""Put sorted frames that overlap into one order, with little memory.

Each frame goes to a scratch file as a sorted run; afterwards key ranges of about one
part's size are read from all runs, sorted and handed on. One frame alone never
touches the disk.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from reports.files.shape import sort_keys

STEP = 10_000
"""Rows of a run between two keys that are kept in memory."""
RANGE = 250_000
"""About how many rows are read at once when runs are merged."""

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    path: Path
    rows: int
    keys: list[Key]
    last: Key


class Spool:
    """Collects frames that are sorted by `key` each, and returns all rows sorted by it."""

    def __init__(self, key: Sequence[str], folder: Path, *, step: int = STEP, range_rows: int = RANGE) -> None:
        self._key = key
        self._folder = folder
        self._step = step
        self._range = range_rows
        self._held: pl.DataFrame | None = None
        self._runs: list[_Run] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Add a frame that is sorted by the key."""
        if frame.is_empty():
            return
        if self._held is None and not self._runs:
            self._held = frame
            return
        if self._held is not None:
            self._store(self._held)
            self._held = None
        self._store(frame)

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield all rows in key order."""
        if self._held is not None:
            yield self._held
        runs = sorted(self._runs, key=lambda run: run.keys[0])
        if all(before.last <= after.keys[0] for before, after in pairwise(runs)):
            yield from (pl.read_parquet(run.path, glob=False) for run in runs)
        else:
            yield from self._merged(runs)

    def remove(self) -> None:
        """Delete the scratch files."""
        for run in self._runs:
            run.path.unlink()
        if self._runs:
            self._folder.rmdir()

    def _store(self, frame: pl.DataFrame) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{len(self._runs):06}.parquet"
        frame.write_parquet(path, compression="lz4", row_group_size=max(self._step, 50_000))
        keys = frame.gather_every(self._step).select(_ranked(self._key)).rows()
        self._runs.append(_Run(path, frame.height, keys, frame.tail(1).select(_ranked(self._key)).row(0)))

    def _merged(self, runs: list[_Run]) -> Iterator[pl.DataFrame]:
        keys = sorted(key for run in runs for key in run.keys)
        # Every so many remembered keys is a cut: between two cuts lie about as many rows as are read at once.
        cuts = [None, *dict.fromkeys(keys[:: max(self._range // self._step, 1)][1:]), None]
        for low, high in pairwise(cuts):
            parts = [self._between(run, low, high) for run in runs]
            yield pl.concat(parts).sort(sort_keys(self._key), nulls_last=False, maintain_order=True)

    def _between(self, run: _Run, low: Key | None, high: Key | None) -> pl.DataFrame:
        # From the last remembered key before `low` to the first from `high` on; the rows between are then filtered.
        start = max(bisect_left(run.keys, low) - 1, 0) * self._step if low is not None else 0
        stop = bisect_left(run.keys, high) * self._step if high is not None else run.rows
        rows = pl.scan_parquet(run.path, glob=False).slice(start, max(stop - start, 0))
        if low is not None:
            rows = rows.filter(_is_from(self._key, low))
        if high is not None:
            rows = rows.filter(~_is_from(self._key, high))
        return rows.collect()


def _ranked(key: Sequence[str]) -> list[pl.Expr]:
    """Return the sort keys without nulls: whether there is a value, then the value."""
    ranked = []
    for number, column in enumerate(sort_keys(key)):
        ranked.append(column.is_not_null().alias(f"has_{number}"))
        ranked.append(column.alias(f"key_{number}"))
    return ranked


def _is_from(key: Sequence[str], low: Key) -> pl.Expr:
    """Tell whether a row's key is `low` or behind it."""
    # From the last key to the first: greater here, or equal here and reached by the keys behind it.
    reached = pl.lit(True)
    for column, value in reversed(list(zip(_ranked(key), low, strict=True))):
        if value is None:
            continue
        reached = (column > value).fill_null(False) | (column.eq_missing(pl.lit(value)) & reached)
    return reached
