"""Whole months past due, counted as mortgage bankers (MBA) and thrifts (OTS) count them.

Only for plans whose terms are one month apart on a fixed day; for others the figures are
null.
"""

from datetime import date, timedelta

import polars as pl

from transforms.segments import Segments, changes


def full_months(start: pl.Expr, end: pl.Expr, anchor: pl.Expr) -> pl.Expr:
    """Return the largest k >= 0 with `start` plus k months <= `end`.

    The addition keeps the day `anchor` and clamps it to the month's last day, so the end of
    February is a whole month after 31 January. Null where an argument is null.
    """
    months = (end.dt.year() - start.dt.year()) * 12 + end.dt.month() - start.dt.month()
    falls_on = pl.min_horizontal(anchor, end.dt.days_in_month())
    is_short = (falls_on > end.dt.day()).cast(pl.Int64)
    whole = (months.cast(pl.Int64) - is_short).clip(lower_bound=0)
    return pl.when(start.is_not_null() & end.is_not_null() & anchor.is_not_null()).then(whole)


def months_past_due(oldest: pl.Series, anchors: pl.Series, *, as_of: date) -> pl.DataFrame:
    """Return `mba_months` and `ots_months` per plan.

    Both are null for plans that are not monthly and 0 where nothing is past due; the
    mortgage bankers' month is over one day earlier, so ots <= mba <= ots + 1.

    Args:
        oldest: Nominal (else actual) due date of the oldest unpaid term, null if none.
        anchors: Day of the month a monthly plan falls due on, null for other plans.
        as_of: Civil date whose end is described.
    """
    frame = pl.DataFrame({"start": oldest, "anchor": anchors.cast(pl.Int64)})
    is_monthly = pl.col("anchor").is_not_null()

    def until(day: date) -> pl.Expr:
        end = pl.lit(day, dtype=pl.Date)
        return pl.when(is_monthly).then(full_months(pl.col("start"), end, pl.col("anchor")).fill_null(0))

    return frame.select(mba_months=until(as_of + timedelta(days=1)), ots_months=until(as_of))


def anchors(plans: pl.DataFrame, terms: pl.DataFrame, segments: Segments) -> pl.Series:
    """Return the day of the month each monthly plan falls due on, null for plans that are not monthly.

    Where the provider states no rule, a plan is monthly if its due dates are one anchored
    month apart: at least two terms, one in each month, every one on the largest day seen or
    on the last day of a month that lacks it.

    Args:
        plans: `cadence, anchor_day`, one row per plan.
        terms: In sequence, `due_date, nominal_due_date, is_listed`; only listed terms are looked at.
        segments: Where each plan's terms lie.
    """
    stated = plans.select(pl.when(pl.col("cadence") == "MONTHLY").then(pl.col("anchor_day"))).to_series()
    by_dates = plans["cadence"] == "BY_DATES"
    if not by_dates.any():
        return stated
    seen = segments.spread(by_dates) & terms["is_listed"]
    due, owner = (
        (terms["due_date"], segments.owner)
        if seen.all()
        else (terms["due_date"].filter(seen), segments.owner.filter(seen))
    )
    inferred = _inferred(due, owner, plans.height)
    return stated.zip_with(stated.is_not_null(), inferred)


def _inferred(due: pl.Series, owner: pl.Series, plans: int) -> pl.Series:
    rows = Segments.of(owner, plans)
    month, day, last_day = _calendar(due)
    # Running maximum of plan and day packed into one number: at a plan's last row it is the plan's largest day.
    anchor = (owner.cast(pl.Int64) * 32 + day).cum_max().gather(rows.last) % 32
    # Each term against its plan's day: on it, or on the last day of a month that is too short for it.
    own = rows.spread(anchor.cast(pl.Int32))
    falls_on = (day == own) | ((day == last_day) & (day < own))
    # One month after the row before, or the first row of its plan.
    follows = (month - month.shift(1) == 1).fill_null(value=False) | changes(owner)
    is_monthly = (rows.sizes > 1) & (rows.count(falls_on & follows) == rows.sizes)
    return anchor.set(~is_monthly, None)


def _calendar(due: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Return month number, day and last day of the month of each date."""
    number = due.cast(pl.Int32)
    first, last = number.min(), number.max()
    if not isinstance(first, int) or not isinstance(last, int):
        return number, number, number
    # Worked out once for every day between the first and the last; each row then looks up its own day.
    days = pl.int_range(first, last + 1, dtype=pl.Int32, eager=True).cast(pl.Date)
    at = number - first
    month = days.dt.year() * 12 + days.dt.month().cast(pl.Int32)
    of_day = (month, days.dt.day().cast(pl.Int32), days.dt.days_in_month().cast(pl.Int32))
    return of_day[0].gather(at), of_day[1].gather(at), of_day[2].gather(at)
