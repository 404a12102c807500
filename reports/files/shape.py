"""Bring a result frame into the shape of its report: shown names, key order, money still in minor units.

How a cell is written is in `cells.py` and `decimals.py`.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache

import polars as pl

from reports.errors import LayoutError
from schemas.columns import COLUMNS
from schemas.reports import Kind, Report

_FEW = 1_000
"""Rows of which a sorted copy is made faster than a query says whether they are in order."""

_READ_AS = {Kind.MONEY: pl.Int64(), Kind.RATIO: pl.Int64(), Kind.TIERS: COLUMNS["tiers"].dtype}


@cache
def empty(report: Report) -> pl.DataFrame:
    """Return the report without rows, as `arrange` would."""
    return pl.DataFrame(schema={c.name: _read_as(c.kind) for c in report.columns})


def arrange(report: Report, frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the rows of `frame` under the report's names, sorted by its key.

    Money stays Int64 minor units and ratios stay parts per million. A frame without
    `as_of` gets the run's. Nulls sort first, as an empty cell does.

    Raises:
        LayoutError: a column is missing or has another type than the report shows.
    """
    if "as_of" not in frame.columns:
        frame = frame.with_columns(pl.lit(as_of).alias("as_of"))
    missing = [c.source for c in report.columns if c.source not in frame.columns]
    if missing:
        raise LayoutError(
            f"report {report.name!r}: the frame has no column {', '.join(missing)}; add them to its table"
        )
    _refuse_other_types(report, frame)
    ordered = _sorted(report, frame)
    return ordered.select(pl.col(c.source).alias(c.name) for c in report.columns)


def is_ordered(frame: pl.DataFrame, key: Sequence[str]) -> bool:
    """Tell whether the rows of `frame` stand in the order of `key`; equal keys count as ordered."""
    if frame.height < 2:  # noqa: PLR2004
        return True
    if frame.height <= _FEW:
        keys = frame.select(sort_keys(key))
        return keys.equals(keys.sort(keys.columns))
    # From the last key to the first: a row comes too early if this key is smaller, or equal and the keys behind it say so.
    after = pl.lit(False)
    for column in reversed(sort_keys(key)):
        previous = column.shift(1)
        smaller = (column < previous) | (column.is_null() & previous.is_not_null())
        bigger_or_null = column.eq_missing(previous)
        after = smaller.fill_null(False) | (bigger_or_null & after)
    return not frame.lazy().select(after.slice(1).any()).collect().item()


def sort_keys(key: Sequence[str]) -> list[pl.Expr]:
    """Return what rows are sorted by: the key, with delinquency buckets by their first day."""
    keys: list[pl.Expr] = []
    for name in key:
        if name.endswith("bucket"):
            keys.append(pl.col(name).str.extract(r"^(\d+)").cast(pl.Int64).fill_null(2**40).alias(f"{name}_from"))
        keys.append(pl.col(name))
    return keys


def _read_as(kind: Kind) -> pl.DataType:
    dtype: pl.DataType = _READ_AS.get(kind, kind.value)
    return dtype


def _refuse_other_types(report: Report, frame: pl.DataFrame) -> None:
    given = frame.schema
    for column in report.columns:
        dtype, expected = given[column.source], _read_as(column.kind)
        if dtype not in (expected, pl.Null()):
            raise LayoutError(f"report {report.name!r}: column {column.source!r} is {dtype}, expected {expected}")


def _sorted(report: Report, frame: pl.DataFrame) -> pl.DataFrame:
    source = {c.name: c.source for c in report.columns}
    key = [source[name] for name in report.key]
    if is_ordered(frame, key):
        return frame
    if report.blocks is None or report.blocks not in frame.columns:
        return frame.sort(sort_keys(key), nulls_last=False, maintain_order=True)
    return _sorted_by_blocks(frame, report.blocks, key)


def _sorted_by_blocks(frame: pl.DataFrame, block: str, key: Sequence[str]) -> pl.DataFrame:
    """Return the rows sorted by `key`: texts are sorted once per block, rows by integers, in a tenth of the time."""
    *texts, last = key
    blocks = frame.lazy().select(block, *texts).unique(block).sort(texts).select(block).with_row_index("place")
    placed = frame.lazy().join(blocks, on=block, how="left", validate="m:1")
    return placed.sort("place", last).drop("place").collect()
