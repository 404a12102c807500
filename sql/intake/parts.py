"""A large fetch in parts, so that its memory does not grow with it: which rows are in which part, and where parts wait.

Before they are judged they wait in temporary tables, which the database moves to disk as it needs room; afterwards in files.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import duckdb
import polars as pl

from sql.connection import quoted
from sql.storage.files import unnamed

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
def away(folder: Path) -> Iterator[Callable[[Frames], Callable[[], Frames]]]:
    """Yield what puts frames into a file and returns what brings them back, once, as they were.

    The files have no name: nothing of them stays after the block, nor after a process that was killed.
    """
    with ExitStack() as files:

        def put(frames: Frames) -> Callable[[], Frames]:
            kept = {name: files.enter_context(unnamed(folder, _as_bytes(frame))) for name, frame in frames.items()}
            return partial(bring_back, kept)

        def bring_back(kept: Mapping[str, BinaryIO]) -> Frames:
            return {name: _taken(file) for name, file in kept.items()}

        yield put


def _as_bytes(frame: pl.DataFrame) -> memoryview:
    written = BytesIO()
    frame.write_ipc(written, compression="lz4")
    return written.getbuffer()


def _taken(file: BinaryIO) -> pl.DataFrame:
    with file:
        return pl.read_ipc(file)


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
