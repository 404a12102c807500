"""Which terms were kept: what had come for each by its deadline, and holds still.

A term's deadline is its due date and the days of grace. Money that went back since does not count, whenever it came;
so a term is kept on the same day on which it counts as satisfied.
"""

from datetime import date

import polars as pl

from schemas.words import STATES
from transforms.balances.book import Book
from transforms.balances.replay import on_days
from transforms.balances.settlement import lowest_since
from transforms.outcomes.spells import day_number, has_returns
from transforms.segments import mark, put

LONGEST_WINDOW = 365
"""Days before the as-of date in which a deadline may lie."""
_PLANS_AT_ONCE = 5_000
"""Bounds the memory of the replay: plans times deadlines times terms."""


def evaluated(book: Book, terms: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Return the terms whose deadline passed in the longest window before the as-of date, with what came by then.

    Void, replaced and waived terms are left out, and all of plans that a complete fetch no longer showed.

    Args:
        book: Plans, terms and money.
        terms: What `judgement.judge` returned.
        as_of: Civil date whose end is described.

    Returns:
        `plan` (position in the book), `row` (of the term), `deadline` (day number), `payable_minor`, `paid_minor` (by the deadline, at
        most payable) and `is_kept`.
    """
    today = day_number(as_of)
    deadline = pl.lit(terms["due_date"].cast(pl.Int64) + book.segments.spread(book.grace))
    is_owed = pl.col("counts") & (pl.col("state_number") != STATES.index("WAIVED"))
    chosen = terms.select(is_owed & deadline.is_between(today - LONGEST_WINDOW, today - 1)).to_series().arg_true()
    # Most terms fall due in another time: all further figures are those of the chosen ones alone.
    rows = terms.select(
        pl.col("tolerance_minor", "is_satisfied", "received_minor").gather(chosen),
        plan=pl.lit(book.segments.owner).gather(chosen).cast(pl.Int64),
        row=chosen.cast(pl.Int64),
        deadline=deadline.gather(chosen),
        payable_minor=pl.col("amount_minor").gather(chosen) - pl.col("waived_minor").gather(chosen),
        met=pl.col("judged_on").gather(chosen).cast(pl.Int64),
    )
    if book.plans["is_vanished"].any():
        rows = rows.filter(~book.plans["is_vanished"].gather(rows["plan"]))
    in_time = (rows["is_satisfied"] & (rows["met"] <= rows["deadline"])).fill_null(value=False)
    is_ours = book.is_ours.gather(rows["plan"])
    # What is known without looking at the money: all of a term that was satisfied in time, to the cent.
    paid = rows["payable_minor"].set(~in_time, 0)
    is_asked = is_ours & ~(in_time & (rows["tolerance_minor"] == 0))
    is_plain = ~(mark(book.segments.owner.gather(book.links.named["row"]), book.plans.height) | book.skips)
    plain = is_plain.gather(rows["plan"])
    summed, replayed = (is_asked & plain).arg_true(), (is_asked & ~plain).arg_true()
    paid = put(paid, summed, _in_turn(book, rows[summed]))
    paid = put(paid, replayed, _by_deadline(book, rows[replayed]))
    paid = paid.zip_with(is_ours, _stated(book, rows, in_time))
    kept = rows.with_columns(paid.alias("paid_minor")).with_columns(
        is_kept=pl.col("payable_minor") - pl.col("paid_minor") <= pl.col("tolerance_minor")
    )
    return kept.select("plan", "row", "deadline", "payable_minor", "paid_minor", "is_kept")


def _in_turn(book: Book, rows: pl.DataFrame) -> pl.Series:
    """Return the same as `_by_deadline` where money goes to the oldest term first: what is left after the terms before."""
    # Running sum over all plans; less that at the plan's first term, it is what earlier terms of the plan take.
    before, start = book.segments.before(book.terms["payable"])
    needed = before.gather(rows["row"]) - start.gather(rows["plan"])
    there = lowest_since(book.levels, rows["plan"], rows["deadline"].cast(pl.Int32).cast(pl.Date))
    return (there - needed).clip(0, rows["payable_minor"])


def _by_deadline(book: Book, rows: pl.DataFrame) -> pl.Series:
    """Return what each of these terms had at its deadline and never lost since, one value per row."""
    uneven = has_returns(book)
    points = rows.select("plan", day="deadline")
    # Where money went back, also what was left on each later day on which it moved.
    moved = pl.DataFrame({"plan": book.levels.owner.cast(pl.Int64), "day": book.levels.day.cast(pl.Int64)})
    later = moved.filter(uneven.gather(moved["plan"]) & moved["plan"].is_in(points["plan"].implode()))
    days = pl.concat([points, later]).unique().with_columns(pl.col("day").cast(pl.Int32).cast(pl.Date))
    plans = rows["plan"].unique().sort()
    lowest = []
    for some in (plans.slice(start, _PLANS_AT_ONCE) for start in range(0, len(plans), _PLANS_AT_ONCE)):
        history = on_days(book, days.filter(pl.col("plan").is_in(some.implode()))).select("row", "day", "received")
        asked = history.join(rows.select("row", "deadline"), on="row", how="inner")
        since = asked.filter(pl.col("day").cast(pl.Int64) >= pl.col("deadline"))
        lowest.append(since.group_by("row").agg(pl.col("received").min()))
    if not lowest:
        return rows["payable_minor"].clear()
    found = rows.select("row").join(pl.concat(lowest), on="row", how="left", maintain_order="left")
    return found["received"].clip(0, rows["payable_minor"])


def _stated(book: Book, rows: pl.DataFrame, in_time: pl.Series) -> pl.Series:
    """Return what a provider's own balance says had come for each term by its deadline."""
    version = pl.coalesce("updated_on", pl.lit(book.segments.spread(book.plans["updated_on"])))
    told_on = book.terms.select(version.cast(pl.Int64)).to_series().gather(rows["row"])
    is_part = ~rows["is_satisfied"] & (told_on <= rows["deadline"]).fill_null(value=False)
    return rows["received_minor"].clip(lower_bound=0).set(~(in_time | is_part), 0)
