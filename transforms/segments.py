"""Plan by plan arithmetic on frames in plan order: sums, spreads and first rows without windows.

A window over millions of small plans costs twenty times as much as a running sum
whose value before the plan's first row is taken off.
"""

from dataclasses import dataclass

import polars as pl

_ROOM_PER_KEY = 8
"""Keys that lie this close are looked up in a table of all numbers between them, others by bisection."""


@dataclass(frozen=True, slots=True)
class Segments:
    """Where the rows of each plan lie in a frame sorted by plan.

    `owner` gives each row's plan, numbered from 0. `first` and `last` give each
    plan's first and last row, null for a plan without rows.
    """

    owner: pl.Series
    first: pl.Series
    last: pl.Series

    @classmethod
    def of(cls, owner: pl.Series, plans: int) -> "Segments":
        """Find the segments of rows whose plan numbers `owner` never decrease; there are `plans` plans."""
        starts = changes(owner).arg_true()
        return cls.of_runs(owner, starts, owner.gather(starts), plans)

    @classmethod
    def of_runs(cls, owner: pl.Series, starts: pl.Series, owners: pl.Series, plans: int) -> "Segments":
        """Return the segments of rows whose runs of equal `owner` begin at rows `starts`, and are of the plans `owners`."""
        ends = (starts.cast(pl.Int64) - 1).shift(-1, fill_value=len(owner) - 1)
        return cls(owner, place(owners, starts, plans), place(owners, ends, plans))

    @property
    def sizes(self) -> pl.Series:
        """Number of rows of each plan."""
        return (self.last - self.first + 1).fill_null(0)

    def spread(self, plan_values: pl.Series) -> pl.Series:
        """Give every row the value of its plan."""
        return plan_values.gather(self.owner)

    def total(self, values: pl.Series) -> pl.Series:
        """Sum an Int64 column per plan; 0 for a plan without rows, null counts as 0."""
        numbers = values.fill_null(0) if values.has_nulls() else values
        running = numbers.cum_sum()
        before = running.gather(self.first) - numbers.gather(self.first)
        return (running.gather(self.last) - before).fill_null(0)

    def count(self, mask: pl.Series) -> pl.Series:
        """Count per plan the rows for which `mask` holds."""
        running = mask.cum_sum()
        before = running.gather(self.first) - mask.gather(self.first).cast(running.dtype)
        return (running.gather(self.last) - before).fill_null(0).cast(pl.Int64)

    def total_where(self, values: pl.Series, mask: pl.Series) -> pl.Series:
        """Sum per plan the rows for which `mask` holds; only those that are not 0 cost anything."""
        rows = (mask & (values != 0)).arg_true()
        return Segments.of(self.owner.gather(rows), len(self.first)).total(values.gather(rows))

    def before(self, values: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Return the running sum in front of each row over all plans, and its value at each plan's first row."""
        running = values.cum_sum() - values
        return running, running.gather(self.first)

    def first_row_where(self, mask: pl.Series) -> pl.Series:
        """Return per plan its first row for which `mask` holds, null if there is none."""
        rows = mask.arg_true()
        owners = self.owner.gather(rows)
        is_first = changes(owners)
        return place(owners.filter(is_first), rows.filter(is_first), len(self.first))


def changes(values: pl.Series) -> pl.Series:
    """Tell for each row whether its value differs from the one before; true for the first row. No nulls."""
    return values.ne_missing(values.shift(1))


def row_numbers(size: int) -> pl.Series:
    """Return 0 to `size` - 1."""
    return pl.int_range(0, size, eager=True)


def repeat(value: object, size: int, dtype: type[pl.DataType] = pl.Int64) -> pl.Series:
    """Return `size` times the same value."""
    return pl.Series([value], dtype=dtype).new_from_index(0, size)


def place(positions: pl.Series, values: pl.Series, size: int) -> pl.Series:
    """Return `size` Int64 values: `values` at `positions`, null elsewhere."""
    return put(repeat(None, size), positions, values.cast(pl.Int64))


def put(into: pl.Series, positions: pl.Series, values: pl.Series) -> pl.Series:
    """Return `into` with `values` at `positions`; `into` itself stays as it is."""
    return into.clone().scatter(positions, values) if len(positions) else into


def mark(positions: pl.Series, size: int) -> pl.Series:
    """Return `size` flags that hold at `positions`."""
    return put(repeat(False, size, pl.Boolean), positions, repeat(True, len(positions), pl.Boolean))


def number_of(keys: pl.Series, wanted: pl.Series) -> pl.Series:
    """Return for each of `wanted` its position in the sorted, distinct `keys`; null where it is not there."""
    if keys.is_empty():
        return repeat(None, len(wanted))
    room = int(keys[-1]) - int(keys[0]) + 1
    if room <= _ROOM_PER_KEY * len(keys):
        at = wanted.cast(pl.Int64) - int(keys[0])
        return place(keys - int(keys[0]), row_numbers(len(keys)), room).gather(at.set((at < 0) | (at >= room), None))
    found = keys.search_sorted(wanted.fill_null(-1)).cast(pl.Int64).clip(0, len(keys) - 1)
    hit = keys.gather(found).eq_missing(wanted)
    return pl.select(pl.when(pl.lit(hit)).then(pl.lit(found))).to_series()
