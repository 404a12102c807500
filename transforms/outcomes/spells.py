"""When each term was past due and not satisfied, and when its plan was overdue without a break.

A spell is one such time of one term; an episode is the longest time in which its plan always had
a spell. Days are counted from 1970-01-01; a spell holds on the days from `start` to before `end`,
and one that lasts ends on the day after the as-of date. Three terms due on the days 10, 40 and 70, seen
at day 75; the first is paid on day 45, the second on day 50, the third not yet:

    term     spell           late after 5 days of grace     episode
    1        11 to 45        16 to 45                       11 to 50
    2        41 to 50        46 to 50                       11 to 50
    3        71 to 76        76 to 76: not yet              71 to 76
"""

from datetime import date

import polars as pl

from transforms.balances.book import Book
from transforms.balances.replay import on_days
from transforms.segments import changes, mark, number_of

PLAN_BITS = 2**22
"""Room for a day in a number that packs plan and day."""
DAY_SHIFT = 2**21
_PLANS_AT_ONCE = 5_000
"""Bounds the memory of the replay: plans times days on which money moved times terms."""


def day_number(day: date) -> int:
    """Return the days from 1970-01-01 to `day`."""
    return (day - date(1970, 1, 1)).days


def packed(plan: pl.Series, day: pl.Series) -> pl.Series:
    """Return one number per row that sorts by plan and then by day."""
    return plan.cast(pl.Int64) * PLAN_BITS + day.cast(pl.Int64) + DAY_SHIFT


def has_returns(book: Book) -> pl.Series:
    """Tell per plan whether any of its money went back, so that a term may have been satisfied and open again."""
    went_back = book.money.filter((pl.col("back_minor") != 0) | (pl.col("amount_minor") < 0))["plan"].unique()
    return mark(went_back, book.plans.height)


def has_left(book: Book) -> pl.Series:
    """Tell which plans are no longer shown though nobody ended them: they went as they did on the last day before."""
    is_deleted = (pl.col("standing") == "DELETED") & pl.col("deleted_on").is_null()
    return book.plans.select(pl.col("is_vanished") & is_deleted).to_series()


def days_after(book: Book, *, as_of: date) -> pl.Series:
    """Return per plan the day number after the last one that is judged: the as-of date, or the last day of one that left."""
    last = book.plans.select(pl.when(has_left(book)).then(pl.col("removed_on").cast(pl.Int64) - 1)).to_series()
    return last.fill_null(day_number(as_of)) + 1


def spells_of(book: Book, terms: pl.DataFrame, after: pl.Series) -> pl.DataFrame:
    """Return the spells of the book's terms; no day before its plan was made is in one.

    Args:
        book: Plans, terms and money.
        terms: What `judgement.judge` returned.
        after: What `days_after` returned.

    Returns:
        `plan` (position in the book), `row` (of the term), `start`, `end` and `late_from` (first day of the spell
        past grace; not before `end` where it never was), by plan and start.
    """
    past_due = terms["due_date"].cast(pl.Int64) + 1
    spells = open_times(book, terms, past_due, after)
    grace = book.grace.gather(spells["plan"])
    # Grace runs from the due date, wherever in it a spell begins.
    due = past_due.gather(spells["row"])
    return spells.with_columns(late_from=pl.max_horizontal("start", pl.lit(due + grace)))


def open_times(book: Book, terms: pl.DataFrame, since: pl.Series, after: pl.Series) -> pl.DataFrame:
    """Return when each term that counts was open, from its day in `since` on: `plan, row, start, end`, by plan and start.

    A term that asks for no more than its tolerance never was.
    """
    # A term is satisfied from one day on, unless money of its plan went back: those are replayed.
    is_uneven = has_returns(book)
    # Most terms were met by that day, or have not come to it: only the others are looked at further.
    met, day = pl.col("judged_on").cast(pl.Int64), pl.lit(since)
    was_open = (day < pl.lit(after).max()) & ~(pl.col("is_satisfied") & (met <= day).fill_null(value=False))
    if is_uneven.any():
        was_open = was_open | pl.lit(book.segments.spread(is_uneven))
    is_asked = pl.col("counts") & (pl.col("payable") > pl.col("tolerance_minor"))
    row = terms.select(pl.arg_where(is_asked & was_open)).to_series()
    plan = book.segments.owner.gather(row)
    open_at = terms.select("is_satisfied", "judged_on")[row].select(
        plan=plan.cast(pl.Int64),
        row=row.cast(pl.Int64),
        start=pl.max_horizontal(
            pl.lit(since.gather(row)), pl.lit(book.plans["created_on"].cast(pl.Int64).gather(plan))
        ),
        after=after.gather(plan),
        met=pl.when("is_satisfied").then(met),
    )
    spells = open_at.select("plan", "row", "start", end=pl.min_horizontal("met", "after"))
    spells = spells.filter(pl.col("start") < pl.col("end"))
    if is_uneven.any():
        even = spells.filter(~is_uneven.gather(spells["plan"]))
        spells = pl.concat([even, _replayed(book, open_at, is_uneven)]).sort("plan", "start", "row")
    return spells


def _replayed(book: Book, terms: pl.DataFrame, is_uneven: pl.Series) -> pl.DataFrame:
    """Return the open times of these `terms` (`row`, `start` and `after`, by row) of these plans, judged again on each day on which their money moved."""
    days = pl.DataFrame({"plan": book.levels.owner, "day": book.levels.day})
    plans = is_uneven.arg_true()
    parts = [
        _between(on_days(book, days.filter(days["plan"].is_in(some.implode()))), terms)
        for some in (plans.slice(start, _PLANS_AT_ONCE) for start in range(0, len(plans), _PLANS_AT_ONCE))
    ]
    return pl.concat(parts)


def _between(history: pl.DataFrame, terms: pl.DataFrame) -> pl.DataFrame:
    """Return the open times that the received money of `history` tells, one row of it per plan, day and term."""
    asked = number_of(terms["row"], history["row"]).is_not_null()
    judged = history.filter(asked).select(
        pl.col("plan").cast(pl.Int64),
        "row",
        day=pl.col("day").cast(pl.Int64),
        is_open=pl.col("payable") - pl.col("received") > pl.col("tolerance_minor"),
    )
    # Before any money came every term was open.
    first = judged.select("plan", "row").unique().with_columns(day=pl.lit(-DAY_SHIFT, pl.Int64), is_open=True)
    steps = pl.concat([first, judged]).sort("row", "day")
    is_first = changes(steps["row"])
    # Where a term changes between open and satisfied: every other row of a term is then open.
    turns = steps.filter(is_first | changes(steps["is_open"]))
    is_last = changes(turns["row"]).shift(-1, fill_value=True)
    ends = turns["day"].shift(-1).set(is_last, None)
    at = number_of(terms["row"], turns["row"])
    since, after = terms["start"].gather(at), terms["after"].gather(at)
    # One that is never satisfied again is open to the end.
    spells = turns.with_columns(
        start=pl.max_horizontal("day", pl.lit(since)), end=pl.min_horizontal(pl.lit(ends), pl.lit(after))
    )
    return spells.filter(pl.col("is_open") & (pl.col("start") < pl.col("end"))).select("plan", "row", "start", "end")


def episodes_of(spells: pl.DataFrame) -> pl.DataFrame:
    """Return the episodes that these spells make: `plan, start, end`, by plan and start; spells that touch are one.

    Args:
        spells: `plan, start, end`, by plan and start.
    """
    ends = packed(spells["plan"], spells["end"])
    # Running maximum of plan and end: whether anything before reaches the start of a row. Other plans' never do.
    reached = ends.cum_max().shift(1)
    begins = (packed(spells["plan"], spells["start"]) > reached).fill_null(value=True) | changes(spells["plan"])
    numbered = spells.select("plan", "start", "end", episode=begins.cum_sum())
    return (
        numbered.group_by("episode", maintain_order=True)
        .agg(pl.col("plan", "start").first(), pl.col("end").max())
        .select("plan", "start", "end")
    )
