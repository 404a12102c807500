"""Lay out a frame of many rows per plan: which row belongs to which plan, from the number of rows of each."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of plans, plan by plan.

    `owner` is each row's plan by its row, `ordinal` the row's place within the plan from 0,
    `first` each plan's first row.
    """

    owner: pl.Series
    ordinal: pl.Series
    first: pl.Series

    @classmethod
    def of(cls, counts: pl.Series) -> "Layout":
        """Lay out plans of `counts` rows; every count is at least 1."""
        plans = pl.int_range(0, len(counts), eager=True, dtype=pl.UInt32)
        owner = plans.repeat_by(counts).explode() if len(counts) else plans
        # A plan begins after all rows of the plans before it; a row's place is its number less that.
        first = counts.cum_sum() - counts
        rows = pl.int_range(0, len(owner), eager=True, dtype=pl.Int64)
        return cls(owner, rows - first.gather(owner), first)

    def spread(self, plan_values: pl.Series) -> pl.Series:
        """Give every row the value of its plan."""
        return plan_values.gather(self.owner)
