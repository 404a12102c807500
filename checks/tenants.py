"""Sums over the rows of each tenant, which mostly lie together. What is summed is the runner's business."""

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from schemas.core import WHO

_FEW, _FEW_RUNS = 10_000, 100
"""Up to how many rows it does not pay to look for runs of one tenant's rows, and how many runs are few."""


def summed(rows: pl.DataFrame, sums: Sequence[pl.Expr]) -> pl.DataFrame:
    """Return one row per tenant of `rows`: who, and the `sums` over its rows.

    Where rows are many, every run of one tenant's rows is summed by itself: grouping them by their words costs twenty
    times as much.
    """
    if rows.height <= _FEW:
        return rows.group_by(WHO).agg(sums)
    if rows.select(pl.all_horizontal(pl.col(name) == pl.col(name).first() for name in WHO).all()).item():
        return rows.select(pl.col(WHO).first(), *sums)
    starts = rows.select(
        pl.arg_where(pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in WHO))
    )
    if starts.height > _FEW_RUNS:
        return rows.group_by(WHO).agg(sums)
    bounds = [*starts.to_series(), rows.height]
    runs = (rows[start:end].select(pl.col(WHO).first(), *sums) for start, end in pairwise(bounds))
    return pl.concat(runs).group_by(WHO).agg(pl.all().sum())
