"""Plan by plan arithmetic on frames in plan order: sums, spreads and first rows without windows.

A window over millions of small plans costs twenty times as much as a running sum
whose value before the plan's first row is taken off. Three rows of two plans:

    row                    0    1    2
    owner                  0    0    1
    values                30   20   50
    running sum           30   50  100
    before the plan        0    0   50
    last of the plan      50   50  100
    total of the plan     50   50   50
"""

from dataclasses import dataclass

import polars as pl

_ROOM_PER_KEY = 8
"""Keys with up to this many numbers per key in their range are looked up in a table of the whole range, others by bisection."""


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
        # A run begins where the plan differs from that of the row before; its first row tells whose it is.
        differs = pl.col("owner").ne_missing(pl.col("owner").shift(1))
        starts = owner.to_frame("owner").select(pl.arg_where(differs)).to_series()
        return cls.of_runs(owner, starts, owner.gather(starts), plans)

    @classmethod
    def of_runs(cls, owner: pl.Series, starts: pl.Series, owners: pl.Series, plans: int) -> "Segments":
        """Return the segments where the runs are known: run *i* begins at row `starts[i]` and is of plan `owners[i]`."""
        # A run ends one row before the next begins, the last one with the frame.
        ends = pl.concat([starts.cast(pl.Int64).slice(1), pl.Series([len(owner)]).head(len(starts))]) - 1
        return cls(owner, place(owners, starts, plans), place(owners, ends, plans))

    @property
    def sizes(self) -> pl.Series:
        """Return the number of rows of each plan."""
        return (self.last - self.first + 1).fill_null(0)

    def spread(self, plan_values: pl.Series) -> pl.Series:
        """Give every row the value of its plan."""
        return looked_up(plan_values, self.owner)

    def total(self, values: pl.Series) -> pl.Series:
        """Sum an Int64 column per plan; 0 for a plan without rows, null counts as 0."""
        numbers = values.fill_null(0) if values.has_nulls() else values
        running = numbers.cum_sum()
        return self._gained(running, numbers)

    def count(self, mask: pl.Series) -> pl.Series:
        """Count per plan the rows for which `mask` holds; where it holds for all, as it mostly does, they are the plan's."""
        if mask.all(ignore_nulls=False):
            return self.sizes
        running = mask.cum_sum()
        return self._gained(running, mask.cast(running.dtype)).cast(pl.Int64)

    def _gained(self, running: pl.Series, values: pl.Series) -> pl.Series:
        """Return what the running sum of the values gains over each plan's rows; 0 for a plan without rows."""
        sums, first = pl.lit(running), pl.lit(self.first)
        # The running sum in front of the plan's first row belongs to earlier plans.
        before = sums.gather(first) - pl.lit(values).gather(first)
        return pl.select((sums.gather(pl.lit(self.last)) - before).fill_null(0)).to_series()

    def total_where(self, values: pl.Series, mask: pl.Series) -> pl.Series:
        """Sum per plan the rows for which `mask` holds; rows of 0 are left out before summing, so they cost no time."""
        # Segments of the chosen rows alone; plans without any of them get 0.
        rows = (mask & (values != 0)).arg_true()
        return Segments.of(self.owner.gather(rows), len(self.first)).total(values.gather(rows))

    def before(self, values: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Return what lies in front of each row, summed over all plans, and the same at each plan's first row."""
        # What lies in front of a row is the running sum without the row itself.
        running = values.cum_sum() - values
        return running, running.gather(self.first)

    def first_row_where(self, mask: pl.Series) -> pl.Series:
        """Return per plan its first row for which `mask` holds, null if there is none."""
        rows = mask.arg_true()
        owners = self.owner.gather(rows)
        # Of the rows that hold, the first of each plan: where the owner differs from that of the row before.
        is_first = changes(owners)
        return place(owners.filter(is_first), rows.filter(is_first), len(self.first))


def changes(values: pl.Series) -> pl.Series:
    """Tell for each row whether its value differs from the one before; true for the first row. No nulls."""
    return values.to_frame("value").select(pl.col("value").ne_missing(pl.col("value").shift(1))).to_series()


def is_one(values: pl.Series) -> bool:
    """Tell whether all values are the same one, not null: an option, mostly. Cheaper by far than to look any of them up."""
    return len(values) > 0 and not values.has_nulls() and values.min() == values.max()


def looked_up(values: pl.Series, at: pl.Series) -> pl.Series:
    """Return the value at each of these positions, none of them null."""
    return values.new_from_index(0, len(at)) if is_one(values) else values.gather(at)


def row_numbers(size: int) -> pl.Series:
    """Return 0 to `size` - 1."""
    return pl.int_range(0, size, eager=True)


def numbered(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Return the distinct `rows`, and of each row the number of its own among them: few words, to be grouped by a number."""
    kinds = rows.unique(maintain_order=True)
    found = rows.join(kinds.with_row_index("kind"), on=rows.columns, how="left", maintain_order="left", validate="m:1")
    return kinds, found["kind"]


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


def number_of(keys: pl.Series, looked_up: pl.Series) -> pl.Series:
    """Return for each of `looked_up` its position in the sorted, distinct `keys`; null where it is not there."""
    if keys.is_empty():
        return repeat(None, len(looked_up))
    room = int(keys[-1]) - int(keys[0]) + 1
    if room <= _ROOM_PER_KEY * len(keys):
        # A table over the whole range of keys gives at each number the position of that key, null where there is none.
        at = looked_up.cast(pl.Int64) - int(keys[0])
        return place(keys - int(keys[0]), row_numbers(len(keys)), room).gather(at.set((at < 0) | (at >= room), None))
    # The first key that is not smaller: the position is right only if that key is the one looked for.
    at = keys.search_sorted(looked_up.fill_null(-1)).cast(pl.Int64).clip(0, len(keys) - 1)
    is_there = keys.gather(at).eq_missing(looked_up)
    return pl.select(pl.when(pl.lit(is_there)).then(pl.lit(at))).to_series()


def rows_of(plans: pl.Series, places: pl.Series, wanted: pl.DataFrame) -> pl.Series:
    """Return for each plan and place wanted the row that holds both, null where none does.

    The rows of a plan lie together and mostly count up from 1, so the row is the plan's first plus the place less 1.
    What stands there is compared; only where it is another plan or place is the row searched for. Place 3 of plan 7:

        row      0    1    2
        plan     7    7    8
        place    1    3    1     row 0 + 3 - 1 = 2 holds plan 8: searched for, and found at 1

    Args:
        plans: Plan of each row, never decreasing.
        places: Place of each row, distinct within its plan.
        wanted: The plan and the place looked for, in two columns, in this order.
    """
    plan, place_in_plan = wanted.get_columns()
    if plans.is_empty():
        return repeat(None, wanted.height)
    starts = changes(plans).arg_true().cast(pl.Int64)
    guess = starts.gather(number_of(plans.gather(starts), plan)) + place_in_plan - 1
    guess = guess.clip(0, len(plans) - 1)
    fits = ((plans.gather(guess) == plan) & (places.gather(guess) == place_in_plan)).fill_null(value=False)
    if fits.all():
        return guess
    keys = ["plan", "place"]
    at = (~fits).arg_true()
    missed = pl.DataFrame([plan.gather(at).alias("plan"), place_in_plan.gather(at).alias("place")])
    every = pl.DataFrame([plans.alias("plan"), places.alias("place"), row_numbers(len(plans)).alias("row")])
    found = missed.join(every, on=keys, how="left", maintain_order="left", validate="m:1")
    return put(guess, at, found["row"])
