"""The settled money of each plan: what came in, what went back, and how much there was on every day.

Pending money never enters here. A plan received 100 on day 1 and 50 on day 3, of which
40 went back on day 5:

    day         1     3     5
    change    100    50   -40
    level     100   150   110
    lowest    100   110   110

What needs 110 is covered for good since day 3; what needs 120 was covered on day 3 and lost
on day 5.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.table import sorted_by
from transforms.location.locate import SETTLED
from transforms.segments import Segments, changes, number_of

_DAY_BITS = 2**22
_DAY_SHIFT = 2**21


@dataclass(frozen=True, slots=True)
class Levels:
    """Settled money of each plan at the end of every day on which it moved.

    One entry per plan and day, in that order. `level` is the money at the end of that day,
    `lowest` the smallest level from that day on (never below 0): a term that `lowest` covers
    stays covered.
    """

    owner: pl.Series
    day: pl.Series
    level: pl.Series
    lowest: pl.Series
    segments: Segments


def settled(located: pl.DataFrame, plans: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Return the settled payments of these plans in the order in which they pay: by day, then number.

    Money in another currency than the plan's is not the plan's money; promises, repeats and
    money dated after the as-of date are left out.

    Args:
        located: Payments as of the date (`locate.Located.payments`).
        plans: Plans in plan_no order.
        as_of: Civil date whose end is described.

    Returns:
        `plan` (position in `plans`), `payment_no`, `effective_date`, `amount_minor` (what terms may take),
        `reversed_on` (never before the effective date, null if none of it went back), `back_minor` and
        `net_minor` of that amount, and `whole_minor`: all that is left of the payment.
    """
    rows = located.select(
        "payment_no",
        "plan_no",
        "currency",
        "is_money",
        "class",
        "basis",
        "effective_date",
        "amount_minor",
        "reversed_on",
        "back_minor",
        "unusable_minor",
    )
    has_come = pl.col("class").is_in(SETTLED) & (pl.col("effective_date") <= as_of)
    counted = counted_of(rows, plans).filter(has_come & (pl.col("basis") == "PAYMENTS"))
    counted = counted.with_columns(
        amount_minor=pl.col("amount_minor") - pl.col("unusable_minor"),
        whole_minor=pl.col("amount_minor") - pl.col("back_minor"),
    ).with_columns(back_minor=pl.min_horizontal("back_minor", "amount_minor"))
    is_back = pl.col("back_minor") != 0
    back_on = pl.max_horizontal(pl.col("reversed_on").fill_null(pl.col("effective_date")), "effective_date")
    return counted.select(
        "plan",
        "payment_no",
        "effective_date",
        "amount_minor",
        pl.when(is_back).then(back_on).alias("reversed_on"),
        "back_minor",
        "whole_minor",
        net_minor=pl.col("amount_minor") - pl.col("back_minor"),
    ).sort("plan", "effective_date", "payment_no")


def counted_of(located: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Return the payments that move money of these plans, with `plan`, the position in `plans`."""
    # Position of each payment's plan, then the plan's currency beside that of the payment.
    plan = number_of(plans["plan_no"], located["plan_no"])
    currency = plans["currency"].gather(plan)
    is_counted = plan.is_not_null() & located["is_money"] & (located["currency"] == currency).fill_null(value=False)
    return located.with_columns(plan.alias("plan")).filter(is_counted)


def total_of(money: pl.DataFrame, column: str, plans: int) -> pl.Series:
    """Sum a column of `money` per `plan`; 0 where there is none."""
    ordered = sorted_by(money.select("plan", column), "plan")
    return Segments.of(ordered["plan"], plans).total(ordered[column])


def levels(money: pl.DataFrame, plans: int) -> Levels:
    """Return the money of each plan at the end of every day on which it moved.

    Args:
        money: What `settled` returned.
        plans: Number of plans.
    """
    received = money.select("plan", day="effective_date", change="amount_minor")
    returned = money.filter(pl.col("back_minor") != 0).select("plan", day="reversed_on", change=-pl.col("back_minor"))
    moves = pl.concat([received, returned])
    moves = sorted_by(moves.with_columns(_packed(moves["plan"], moves["day"]).alias("key")), "key")
    segments = Segments.of(moves["plan"], plans)
    # Running sum over all plans; at the last move of each day, less what earlier plans moved, it is the plan's level.
    running = moves["change"].cum_sum()
    before = (running - moves["change"]).gather(segments.first)
    is_last = changes(moves["key"]).shift(-1, fill_value=True)
    owner = moves["plan"].filter(is_last)
    level = running.filter(is_last) - before.gather(owner)
    by_day = Segments.of(owner, plans)
    return Levels(owner, moves["day"].filter(is_last), level, _lowest_from(level, by_day), by_day)


def level_on(of: Levels, plan: pl.Series, day: pl.Series) -> pl.Series:
    """Return the settled money of plan `plan` at the end of `day`, row by row; 0 before any of it moved."""
    return _on(of, of.level, plan, day)


def lowest_since(of: Levels, plan: pl.Series, day: pl.Series) -> pl.Series:
    """Return the least settled money of plan `plan` at the end of `day` or of any later day, row by row."""
    return _on(of, of.lowest, plan, day)


def _on(of: Levels, money: pl.Series, plan: pl.Series, day: pl.Series) -> pl.Series:
    if of.owner.is_empty():
        return pl.Series([0], dtype=pl.Int64).new_from_index(0, len(plan))
    # The last entry on or before that day; it counts only if it is of the same plan.
    at = _packed(of.owner, of.day).search_sorted(_packed(plan, day), side="right").cast(pl.Int64) - 1
    at = at.set(at < 0, None)
    is_own = (of.owner.gather(at) == plan).fill_null(value=False)
    return money.gather(at).set(~is_own, 0)


def net_on(money: pl.Expr, back: pl.Expr, effective: pl.Expr, reversed_on: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Return what a payment was worth at the end of `day`: nothing before it came, less what had gone back."""
    came = pl.when(effective <= day).then(money).otherwise(0)
    return came - pl.when((reversed_on <= day).fill_null(value=False)).then(back).otherwise(0)


def offsets(highest: pl.Series) -> pl.Series:
    """Return per plan a number to add to its money, so that amounts of a later plan are always larger than those of an earlier one."""
    # Each plan gets a range one longer than its highest amount, and starts where the one before it ends.
    room = highest.fill_null(0).clip(lower_bound=0) + 1
    return room.cum_sum() - room


def _packed(plan: pl.Series, day: pl.Series) -> pl.Series:
    return plan.cast(pl.Int64) * _DAY_BITS + day.cast(pl.Int64) + _DAY_SHIFT


def _lowest_from(level: pl.Series, by_day: Segments) -> pl.Series:
    # Where no level is followed by a lower one of the same plan, each is the lowest from its day on.
    if (by_day.owner.shift(-1).ne_missing(by_day.owner) | (level <= level.shift(-1)).fill_null(value=True)).all():
        return level.clip(lower_bound=0)
    highest = _highest(level, by_day)
    # Lifted so that no later plan lies lower, one running minimum from the end serves all plans.
    base = offsets(highest).gather(by_day.owner)
    return (level.clip(lower_bound=0) + base).cum_min(reverse=True) - base


def _highest(level: pl.Series, by_day: Segments) -> pl.Series:
    frame = pl.DataFrame({"plan": by_day.owner, "level": level})
    highest = frame.group_by("plan", maintain_order=True).agg(pl.col("level").max())
    numbers = pl.Series([0], dtype=pl.Int64).new_from_index(0, len(by_day.first))
    return numbers.scatter(highest["plan"], highest["level"]) if highest.height else numbers
