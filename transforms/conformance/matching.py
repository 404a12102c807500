"""Join two lists of terms by nearness, each term used once, without guessing between equally near ones.

Equal terms (same plan, date and amount) form one class: which of them is taken
makes no difference. Everything else that is equally near is left apart as unclear. Of
amounts on one day, 100, 110 and 120 on the left, 101 and 115 on the right:

    left         100      110      120
    nearest      101      115      115
    distance       1        5        5
    outcome      101  unclear  unclear
"""

from dataclasses import dataclass

import polars as pl

SAME = ("plan", "date", "amount")
"""What makes two terms of one side interchangeable."""


@dataclass(frozen=True, slots=True)
class Matched:
    """`pairs` (`left`, `right`: row numbers), and the row numbers that had equally near candidates."""

    pairs: pl.DataFrame
    left_unclear: pl.Series
    right_unclear: pl.Series


def numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` in the order of `SAME` and `place`, with their `class` and their `copy` within it, from 0."""
    ordered = rows.sort(*SAME, "place")
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    # A class begins where plan, date or amount differs from the row before; `copy` counts from that row.
    is_new = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in SAME) | (number == 0)
    marked = ordered.with_columns(number=number, is_new=is_new)
    first = pl.when("is_new").then("number").forward_fill()
    return marked.with_columns(
        **{"class": pl.col("is_new").cast(pl.Int64).cum_sum() - 1}, copy=pl.col("number") - first
    ).drop("number", "is_new")


@dataclass(frozen=True, slots=True)
class _Side:
    """Rows of one side, class by class, and where each class begins."""

    rows: pl.Series
    first: pl.Series
    sizes: pl.Series

    @classmethod
    def of(cls, ordered: pl.DataFrame) -> "_Side":
        # Each class begins at its first copy and ends where the next begins.
        first = (ordered["copy"] == 0).arg_true().cast(pl.Int64)
        return cls(ordered["row"], first, first.shift(-1, fill_value=ordered.height) - first)

    def unused(self, unclear: pl.Series, used: pl.Series) -> pl.Series:
        """Return the rows of the unclear classes that are in no pair."""
        classes = unclear.unique()
        frame = pl.DataFrame({"first": self.first.gather(classes), "size": self.sizes.gather(classes)})
        # All rows of these classes: from the first of each, as many as it has.
        places = frame.select(pl.int_ranges(pl.col("first"), pl.col("first") + pl.col("size"))).to_series().explode()
        rows = self.rows.gather(places.drop_nulls())
        return rows.filter(~rows.is_in(used.implode()))


def nearest(left: pl.DataFrame, right: pl.DataFrame, edges: pl.DataFrame) -> Matched:
    """Pair the classes of both sides, nearest first.

    Two classes are paired as far as they go where each is the other's only nearest one. Where a
    class has two equally near, all of them are unclear and taken out.

    Args:
        left: `row, class, copy`, as `numbered` gives them.
        right: The same.
        edges: `left, right` (classes) and `distance`, each pair of classes once.
    """
    sides = (_Side.of(left), _Side.of(right))
    zero = pl.lit(0, dtype=pl.Int64)
    state = edges.with_columns(
        left_size=sides[0].sizes.gather(edges["left"]),
        right_size=sides[1].sizes.gather(edges["right"]),
        left_used=zero,
        right_used=zero,
    )
    # Most classes have one candidate and are its only one: no round is needed for them.
    is_lone = state.select(pl.col("left").is_unique() & pl.col("right").is_unique()).to_series()
    taken = [_take(state.filter(is_lone))]
    unclear = [edges.select("left", "right").clear()]
    state = state.filter(~is_lone)
    while state.height:
        # Candidates that are the nearest for both of their classes.
        mutual = state.filter(
            (pl.col("distance") == pl.col("distance").min().over("left"))
            & (pl.col("distance") == pl.col("distance").min().over("right"))
        )
        is_single = mutual.select(pl.col("left").is_unique() & pl.col("right").is_unique()).to_series()
        # A class in two of them cannot be decided: both are unclear.
        single, tied = _take(mutual.filter(is_single)), mutual.filter(~is_single).select("left", "right")
        taken.append(single)
        unclear.append(tied)
        state = _rest(state, single, tied)
    pairs, gone = _unrolled(pl.concat(taken), *sides), pl.concat(unclear)
    return Matched(pairs, sides[0].unused(gone["left"], pairs["left"]), sides[1].unused(gone["right"], pairs["right"]))


def _take(single: pl.DataFrame) -> pl.DataFrame:
    return single.select("left", "right", "left_used", "right_used", take=pl.min_horizontal("left_size", "right_size"))


def _rest(state: pl.DataFrame, single: pl.DataFrame, tied: pl.DataFrame) -> pl.DataFrame:
    """Take off what was paired, and drop classes that are used up or unclear."""
    for side in ("left", "right"):
        # A class is in at most one pair per round, so sizes are reduced by a plain join.
        spent = single.select(side, pl.col("take"))
        state = state.join(spent, on=side, how="left", validate="m:1").with_columns(
            pl.col(f"{side}_size") - pl.col("take").fill_null(0), pl.col(f"{side}_used") + pl.col("take").fill_null(0)
        )
        state = state.drop("take").join(tied.select(side).unique(), on=side, how="anti")
    return state.filter((pl.col("left_size") > 0) & (pl.col("right_size") > 0))


def _unrolled(taken: pl.DataFrame, left: _Side, right: _Side) -> pl.DataFrame:
    """Return one row per pair of terms: the k-th copy still free of one class with that of the other."""
    each = taken.with_columns(step=pl.int_ranges(0, pl.col("take"))).explode("step")
    # The row: first of its class, past those used in earlier rounds, then one further for each copy taken.
    lefts = left.rows.gather(left.first.gather(each["left"]) + each["left_used"] + each["step"])
    rights = right.rows.gather(right.first.gather(each["right"]) + each["right_used"] + each["step"])
    return pl.DataFrame({"left": lefts, "right": rights})
