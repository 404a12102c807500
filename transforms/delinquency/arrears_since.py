"""Since when a plan has been overdue without interruption, for the day counts that start there.

Every plan in question is judged again on each day on which something changed: a term
fell due, or money moved.
"""

from datetime import date

import polars as pl

from transforms.balances.book import Book
from transforms.balances.replay import grid_of, on_days
from transforms.balances.satisfaction import Satisfaction
from transforms.segments import changes, place

_PLANS_AT_ONCE = 5_000
"""Bounds the memory of the replay: plans times changing days times terms."""


def overdue_since(
    book: Book, paid: Satisfaction, is_asked: pl.Series, amounts: pl.Series, rates: pl.Series, *, as_of: date
) -> pl.Series:
    """Return the day before the plan became overdue without interruption until the as-of date; null if it is not.

    It is overdue on a day if the overdue money of unsatisfied terms exceeds the plan's
    threshold: both the amount and the share of all that remains.

    Args:
        book: Plans, terms and money.
        paid: What each term received.
        is_asked: Whether to judge the plan; the others get null.
        amounts: Threshold per plan, minor units.
        rates: Threshold per plan, parts per million of what remains.
        as_of: Civil date whose end is described.
    """
    numbers = is_asked.arg_true().cast(pl.Int64)
    since = place(numbers.clear(), numbers.clear(), len(is_asked))
    for start in range(0, len(numbers), _PLANS_AT_ONCE):
        chosen = numbers.slice(start, _PLANS_AT_ONCE)
        judged = _judged(history_on(book, paid, _changing_days(book, paid, chosen, as_of)), book, amounts, rates)
        lasting = _last_period(judged)
        # Put at the plans of this batch that are overdue; all others stay null.
        since = since.scatter(lasting["plan"], lasting["since"]) if lasting.height else since
    return since.cast(pl.Date)


def _changing_days(book: Book, paid: Satisfaction, chosen: pl.Series, as_of: date) -> pl.DataFrame:
    terms = pl.DataFrame({"plan": book.segments.owner.cast(pl.Int64), "day": book.terms["due_date"]})
    counts = book.terms["counts"]
    # A term is late from the day after its due date.
    fell_due = terms.filter(counts & terms["plan"].is_in(chosen.implode())).with_columns(
        pl.col("day").dt.offset_by("1d")
    )
    moved = pl.DataFrame({"plan": book.levels.owner.cast(pl.Int64), "day": book.levels.day})
    moved = moved.filter(moved["plan"].is_in(chosen.implode()))
    # Where the provider keeps the balance, money shows only in the day a term was met.
    met = terms.with_columns(paid.judged_on.alias("day")).filter(terms["plan"].is_in(chosen.implode())).drop_nulls()
    return pl.concat([fell_due, moved, met]).filter(pl.col("day") <= as_of).unique().sort("plan", "day")


def history_on(book: Book, paid: Satisfaction, points: pl.DataFrame) -> pl.DataFrame:
    """Return what `replay.on_days` does at these points, also of plans whose provider keeps the balances."""
    mine = book.is_ours.gather(points["plan"])
    ours = on_days(book, points.filter(mine))
    grid = grid_of(book, points.filter(~mine))
    # Until the day a term was paid the provider gives no balance: it counts as open in full.
    # What the term has received now, and 0 on the days before it was met.
    met = paid.judged_on.gather(grid["row"])
    received = paid.received.gather(grid["row"]).set((met > grid["day"]).fill_null(value=False), 0)
    theirs = grid.with_columns(received.alias("received")).drop("point")
    return pl.concat([ours, theirs]).sort("plan", "day", "row")


def _judged(history: pl.DataFrame, book: Book, amounts: pl.Series, rates: pl.Series) -> pl.DataFrame:
    """Return per plan and day whether the overdue money was above the threshold."""
    counts = book.terms["counts"].gather(history["row"])
    still_open = pl.col("payable") - pl.col("received")
    is_late = (pl.col("due_date") < pl.col("day")) & (still_open > pl.col("tolerance_minor"))
    days = (
        history.filter(counts)
        .group_by("plan", "day")
        .agg(overdue=still_open.filter(is_late).sum(), remaining=still_open.sum())
        .sort("plan", "day")
    )
    # The thresholds of the plan beside each of its days; in 128 bits, because a million times an amount does not fit into 64.
    amount, rate = amounts.gather(days["plan"]), rates.gather(days["plan"])
    share = pl.col("overdue").cast(pl.Int128) * 1_000_000 > pl.col("remaining").cast(pl.Int128) * pl.lit(rate)
    return days.with_columns(is_over=(pl.col("overdue") > pl.lit(amount)) & share)


def _last_period(days: pl.DataFrame) -> pl.DataFrame:
    """Return `plan` and `since` (the day before it began) of the periods over the threshold that last to the plan's last day."""
    is_first = changes(days["plan"])
    over = days["is_over"]
    # A period starts on a day over the threshold whose day before, in the same plan, is not; the newest start is the last of its plan.
    starts = days.filter(over & (is_first | ~over.shift(1, fill_value=False)))
    newest = starts.filter(changes(starts["plan"]).shift(-1, fill_value=True))
    lasting = days.filter(over & is_first.shift(-1, fill_value=True)).select("plan")
    periods = newest.join(lasting, on="plan", how="semi", maintain_order="left")
    return periods.select("plan", since=pl.col("day").dt.offset_by("-1d").cast(pl.Int32).cast(pl.Int64))
