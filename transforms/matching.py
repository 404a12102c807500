"""Join two lists of terms by nearness, each used once, and never guess between equals.

Equal terms (same plan, date and amount) form one class: which of them is taken
makes no difference. Everything else that is equally near is left apart as unclear.
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
    is_new = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in SAME) | (number == 0)
    marked = ordered.with_columns(number=number, is_new=is_new)
    first = pl.when("is_new").then("number").forward_fill()
    return marked.with_columns(
        **{"class": pl.col("is_new").cast(pl.Int64).cum_sum() - 1}, copy=pl.col("number") - first
    ).drop("number", "is_new")


def nearest(left: pl.DataFrame, right: pl.DataFrame, edges: pl.DataFrame) -> Matched:
    """Pair the classes of both sides, nearest first.

    Two classes are paired as far as they go where each is the other's only nearest one. Where a
    class has two equally near, all of them are unclear and taken out.

    Args:
        left: `row, class, copy`, as `numbered` gives them.
        right: The same.
        edges: `left, right` (classes) and `distance`, each pair of classes once.
    """
    sizes = [side.group_by("class").agg(left=pl.len().cast(pl.Int64)) for side in (left, right)]
    state = edges.join(sizes[0].rename({"class": "left", "left": "left_size"}), on="left", validate="m:1")
    state = state.join(sizes[1].rename({"class": "right", "left": "right_size"}), on="right", validate="m:1")
    state = state.with_columns(left_used=pl.lit(0, dtype=pl.Int64), right_used=pl.lit(0, dtype=pl.Int64))
    taken, unclear = [], [edges.select("left", "right").clear()]
    while state.height:
        mutual = state.filter(
            (pl.col("distance") == pl.col("distance").min().over("left"))
            & (pl.col("distance") == pl.col("distance").min().over("right"))
        )
        is_single = (pl.len().over("left") == 1) & (pl.len().over("right") == 1)
        marked = mutual.with_columns(is_single=is_single)
        single = marked.filter("is_single").with_columns(take=pl.min_horizontal("left_size", "right_size"))
        tied = marked.filter(~pl.col("is_single")).select("left", "right")
        taken.append(single.select("left", "right", "left_used", "right_used", "take"))
        unclear.append(tied)
        state = _rest(state, single, tied)
    found = pl.concat(taken) if taken else pl.DataFrame(schema=_TAKEN)
    gone = pl.concat(unclear)
    pairs = _unrolled(found, left, right)
    return Matched(
        pairs,
        _left_over(left, gone["left"], pairs["left"]),
        _left_over(right, gone["right"], pairs["right"]),
    )


_TAKEN = dict.fromkeys(("left", "right", "left_used", "right_used", "take"), pl.Int64())


def _rest(state: pl.DataFrame, single: pl.DataFrame, tied: pl.DataFrame) -> pl.DataFrame:
    """Take off what was paired, and drop classes that are used up or unclear."""
    for side in ("left", "right"):
        spent = single.select(side, pl.col("take"))
        state = state.join(spent, on=side, how="left", validate="m:1").with_columns(
            pl.col(f"{side}_size") - pl.col("take").fill_null(0), pl.col(f"{side}_used") + pl.col("take").fill_null(0)
        )
        state = state.drop("take").join(tied.select(side).unique(), on=side, how="anti")
    return state.filter((pl.col("left_size") > 0) & (pl.col("right_size") > 0))


def _unrolled(found: pl.DataFrame, left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    """Return one row per pair of terms: the k-th copy still free of one class with that of the other."""
    if found.is_empty():
        return pl.DataFrame(schema={"left": pl.Int64, "right": pl.Int64})
    each = found.with_columns(step=pl.int_ranges(0, pl.col("take"))).explode("step")
    placed = each.select(
        "left",
        "right",
        left_copy=pl.col("left_used") + pl.col("step"),
        right_copy=pl.col("right_used") + pl.col("step"),
    )
    lefts = left.select(
        pl.col("class").alias("left"), pl.col("copy").alias("left_copy"), pl.col("row").alias("left_row")
    )
    rights = right.select(
        pl.col("class").alias("right"), pl.col("copy").alias("right_copy"), pl.col("row").alias("right_row")
    )
    joined = placed.join(lefts, on=["left", "left_copy"], validate="1:1")
    joined = joined.join(rights, on=["right", "right_copy"], validate="1:1")
    return joined.select(left="left_row", right="right_row")


def _left_over(side: pl.DataFrame, classes: pl.Series, used: pl.Series) -> pl.Series:
    rows = side.filter(pl.col("class").is_in(classes.unique().implode()))["row"]
    return rows.filter(~rows.is_in(used.implode()))
