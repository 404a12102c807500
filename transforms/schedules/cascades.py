"""Dates counted from the term before: the one part of a schedule that must be worked out term by term.

All plans take each step together, each from the first of its terms that can come out otherwise than by the table. Either the rest of the plan is counted from a date that
was moved (cascade), or every date from the nominal one before it (drift, a fault in which
a plan due on the 31st stays on the 28th after February).
"""

from collections.abc import Callable

import polars as pl

from transforms.schedules.patterns import Slots, month_number, on_day, overflows

Shift = Callable[[pl.Series, pl.Series], pl.Series]
"""A function that returns the shifted day numbers for rules and day numbers."""


def in_sequence(plans: pl.DataFrame, slots: Slots, shift: Shift) -> pl.DataFrame:
    """Return `row, ordinal, nominal` of the terms of `plans` from each plan's `ordinal` on, day numbers.

    Under cascade the plan goes on from a moved date: plans counted in days add their step to it; monthly plans by day take its month and day; all other plans go on with the
    first date of their rule after both the nominal and the moved one. Under drift the next
    date is one month after the previous nominal one of the same rule, on the day that one had.

    Args:
        plans: `row` (of the plan), `count, step, dates_a_month, pattern`, `ordinal, nominal, place` (in `slots`) of the
            first term worked out, `shift_rule, first_day, first_due_date, short_month, cascade`. No term before that
            one moves under cascade; it is the first of its plan under drift.
        slots: The dates of every monthly rule.
        shift: The shift of every rule.

    There is at least one plan.
    """
    state = _start(plans)
    done = []
    while state.height:
        done.append(state.select("row", "ordinal", "nominal"))
        going = state.filter(pl.col("count") > pl.col("ordinal") + 1)
        if going.is_empty():
            break
        moved = going.with_columns(shift(going["shift_rule"], going["nominal"]).alias("expected"))
        state = _next(moved, slots)
    return pl.concat(done)


def _start(plans: pl.DataFrame) -> pl.DataFrame:
    by_month = pl.col("dates_a_month") > 0
    by_day = by_month & (pl.col("pattern") == "DAY")
    return plans.select(
        *("row", "ordinal", "nominal", "place", "count", "step", "dates_a_month", "shift_rule", "cascade"),
        is_anchored=pl.col("cascade") & by_day & (pl.col("dates_a_month") == 1),
        drifts=~pl.col("cascade") & by_day,
        day=pl.col("first_day").fill_null(pl.col("first_due_date").dt.day().cast(pl.Int64)),
        spills=overflows(pl.col("first_day")),
        overflows=pl.col("short_month") != "LAST_DAY",
        back=pl.lit(None, dtype=pl.Int32),
    ).with_columns(month=_rule_month())


def _rule_month() -> pl.Expr:
    """Return the month whose date this is: one that overflowed lies on the 1st of the month after."""
    date = pl.col("nominal").cast(pl.Date)
    has_spilled = pl.col("spills") & (pl.col("day") > date.dt.day().cast(pl.Int64)) & (date.dt.day() == 1)
    return month_number(date) - has_spilled.cast(pl.Int64)


def _next(going: pl.DataFrame, slots: Slots) -> pl.DataFrame:
    has_moved = pl.col("expected") != pl.col("nominal")
    expected = pl.col("expected").cast(pl.Date)
    moved = going.with_columns(
        day=pl.when(has_moved).then(expected.dt.day().cast(pl.Int64)).otherwise("day"),
        month=pl.when(has_moved).then(month_number(expected)).otherwise("month"),
        spills=pl.when(has_moved).then("overflows").otherwise("spills"),
    )
    # The three ways to the next date: a day of the next month, so many days later, the next date in the table.
    is_anchored = pl.col("is_anchored")
    source = pl.when(pl.col("dates_a_month") == 1).then("nominal").otherwise("back").cast(pl.Date)
    # Worked out before it is used: where one expression holds it several times, it costs more to plan than the rows take.
    asked = moved.select(
        month=pl.when(is_anchored).then("month").otherwise(month_number(source)) + 1,
        day=pl.when(is_anchored).then("day").otherwise(source.dt.day().cast(pl.Int64)),
        overflows=pl.when(is_anchored).then("spills").otherwise("overflows"),
    )
    in_month = asked.select(on_day(pl.col("month"), pl.col("day"), pl.col("overflows"))).to_series().cast(pl.Int32)
    stepped = pl.when("cascade").then("expected").otherwise("nominal") + pl.col("step").cast(pl.Int32)
    place = _following(moved, slots)
    return moved.select(
        pl.exclude("expected", "nominal", "back", "place", "month", "ordinal"),
        place.alias("place"),
        ordinal=pl.col("ordinal") + 1,
        back=pl.col("nominal"),
        # Under drift one month after the date before of the same rule; the first of a rule is in the table.
        nominal=pl.when(pl.col("step") > 0)
        .then(stepped)
        .when(is_anchored | (pl.col("drifts") & source.is_not_null()))
        .then(pl.lit(in_month))
        .otherwise(pl.lit(slots.days.gather(place)))
        .cast(pl.Int32),
        month=pl.when(is_anchored).then(pl.col("month") + 1).otherwise("month"),
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
