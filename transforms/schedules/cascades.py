"""Dates counted from the term before: the one part of a schedule that must be worked out term by term.

All plans take each step together. Either the rest of the plan is counted from a date that
was moved (cascade), or every date from the nominal one before it (drift, a fault in which
a plan due on the 31st stays on the 28th after February).
"""

from collections.abc import Callable

import polars as pl

from transforms.schedules.patterns import Slots, month_number, on_day, overflows

Shift = Callable[[pl.Series, pl.Series], pl.Series]
"""A function that returns the shifted day numbers for rules and day numbers."""


def in_sequence(plans: pl.DataFrame, slots: Slots, shift: Shift) -> pl.DataFrame:
    """Return `row, ordinal, nominal, expected` of every term of `plans`, day numbers.

    Under cascade the plan goes on from a moved date: plans counted in days add their step to it; monthly plans by day take its month and day; all other plans go on with the
    first date of their rule after both the nominal and the moved one. Under drift the next
    date is one month after the previous nominal one of the same rule, on the day that one had.

    Args:
        plans: `row` (of the plan), `count, step, dates_a_month, pattern, rule, place` (of the first
            date in `slots`), `shift_rule, base` (first day number where counted in days),
            `first_day, first_due_date, short_month, cascade`.
        slots: The dates of every monthly rule.
        shift: The shift of every rule.

    There is at least one plan.
    """
    state = _start(plans, slots)
    done = []
    ordinal = 0
    earlier = state.select("row", back=pl.col("nominal")).clear()
    while state.height:
        state = state.with_columns(expected=shift(state["shift_rule"], state["nominal"]))
        done.append(state.select("row", "nominal", "expected", ordinal=pl.lit(ordinal, dtype=pl.Int64)))
        ordinal += 1
        going = state.filter(pl.col("count") > ordinal)
        following = _next(going, slots, earlier)
        earlier = going.select("row", back=pl.col("nominal"))
        state = following
    return pl.concat(done)


def _start(plans: pl.DataFrame, slots: Slots) -> pl.DataFrame:
    by_month = pl.col("dates_a_month") > 0
    by_day = by_month & (pl.col("pattern") == "DAY")
    # Monthly plans start with the date at their place in the table, others with their own first day.
    first = slots.days.gather(plans["place"])
    nominal = pl.when(by_month).then(pl.lit(first)).otherwise(pl.col("base")).cast(pl.Int32)
    day = pl.col("first_day").fill_null(pl.col("first_due_date").dt.day().cast(pl.Int64))
    return plans.with_columns(
        nominal=nominal,
        is_anchored=pl.col("cascade") & by_day & (pl.col("dates_a_month") == 1),
        drifts=~pl.col("cascade") & by_day,
        has_moved=pl.lit(value=False),
        day=day,
        spills=overflows(pl.col("first_day")),
    ).with_columns(month=_rule_month())


def _rule_month() -> pl.Expr:
    """Return the month whose date this is: one that overflowed lies on the 1st of the month after."""
    date = pl.col("nominal").cast(pl.Date)
    has_spilled = pl.col("spills") & (pl.col("day") > date.dt.day().cast(pl.Int64)) & (date.dt.day() == 1)
    return month_number(date) - has_spilled.cast(pl.Int64)


def _next(going: pl.DataFrame, slots: Slots, earlier: pl.DataFrame) -> pl.DataFrame:
    if not going.height:
        return going
    has_moved = pl.col("expected") != pl.col("nominal")
    expected = pl.col("expected").cast(pl.Date)
    moved = going.with_columns(
        day=pl.when(has_moved).then(expected.dt.day().cast(pl.Int64)).otherwise("day"),
        month=pl.when(has_moved).then(month_number(expected)).otherwise("month"),
        spills=pl.when(has_moved).then(pl.col("short_month") != "LAST_DAY").otherwise("spills"),
    )
    # The three ways to the next date: the same day a month later, so many days later, the next date in the table.
    anchored = on_day(pl.col("month") + 1, pl.col("day"), pl.col("spills")).cast(pl.Int32)
    stepped = pl.when("cascade").then("expected").otherwise("nominal") + pl.col("step").cast(pl.Int32)
    listed = moved.with_columns(place=_following(moved, slots))
    in_list = slots.days.gather(listed["place"])
    drifted = _drifted(listed, earlier)
    return listed.with_columns(
        nominal=pl.when(pl.col("step") > 0)
        .then(stepped)
        .when("is_anchored")
        .then(anchored)
        .when("drifts")
        .then(pl.coalesce(pl.lit(drifted), pl.lit(in_list)))
        .otherwise(pl.lit(in_list))
        .cast(pl.Int32),
        month=pl.when("is_anchored").then(pl.col("month") + 1).otherwise("month"),
    )


def _following(moved: pl.DataFrame, slots: Slots) -> pl.Series:
    """Return the place of each plan's next date; under cascade the next one after a moved date."""
    place = (moved["place"] + 1).clip(0, len(slots.days) - 1)
    passed = moved.select(pl.max_horizontal("nominal", "expected")).to_series()
    skips = moved.select(
        pl.col("cascade") & (pl.col("dates_a_month") > 0) & (pl.col("expected") != pl.col("nominal"))
    ).to_series()
    # One place further for every plan whose date is not past the moved one yet, until none is left.
    while (behind := skips & (slots.days.gather(place) <= passed) & (place < len(slots.days) - 1)).any():
        place += behind.cast(pl.Int64)
    return place


def _drifted(going: pl.DataFrame, earlier: pl.DataFrame) -> pl.Series:
    """Return one month after the previous date of the same rule; null where there is none yet."""
    with_earlier = going.join(earlier, on="row", how="left", maintain_order="left", validate="1:1")
    source = pl.when(pl.col("dates_a_month") == 1).then("nominal").otherwise("back").cast(pl.Date)
    day = source.dt.day().cast(pl.Int64)
    next_month = on_day(month_number(source) + 1, day, pl.col("short_month") != "LAST_DAY")
    return with_earlier.select(pl.when(source.is_not_null()).then(next_month).cast(pl.Int32)).to_series()
