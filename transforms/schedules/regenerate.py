"""Make the terms that a plan's own rules give: dates from the anchor, shifted, and amounts that add up.

A pure function of rules, conventions and calendars. Every date of every rule and the shift
of every day are worked out once in tables, and each term looks its own up; only plans whose
terms depend on one another are worked out term by term.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.conventions import Conventions
from schemas.schedules import CUSTOM_TERMS, EXPECTED_TERMS, NOT_REGENERABLE
from transforms.calendars.closed_days import Calendar
from transforms.schedules.cascades import in_sequence
from transforms.schedules.collisions import settle
from transforms.schedules.inputs import prepare
from transforms.schedules.layout import Layout
from transforms.schedules.patterns import Slots, month_number, rule_codes
from transforms.schedules.shifts import MOST_MOVES, RULE, SHIFT_CYCLE, Shifted, ShiftTable, is_roomy, shifted
from transforms.schedules.splits import spread_amounts
from transforms.segments import changes

AS_GIVEN = "as given"
"""Trace of a term that the plan lists itself."""

_SKIPPED = 3
"""Months from one fifth weekday to the next, at most."""
_SHORTEST = 28
"""Days of the shortest month."""
_ASTRAY = 92
"""Days before and after the dates of the table for which shifts are looked up as well."""


@dataclass(frozen=True, slots=True)
class Regenerated:
    """`EXPECTED_TERMS` in the order of their key, and `NOT_REGENERABLE`: the plans without a schedule, and why."""

    terms: pl.DataFrame
    missing: pl.DataFrame


def regenerate(
    rules: pl.DataFrame,
    custom: pl.DataFrame | None = None,
    *,
    conventions: Mapping[str, Conventions],
    calendars: Mapping[str, Calendar],
    with_trace: bool = True,
) -> Regenerated:
    """Return the schedule of every plan, as its own rules give it.

    Every date is counted from the plan's first date, never from the date before, unless the
    conventions say otherwise. Plans are independent and the same rows give the same bytes.

    Args:
        rules: `PLAN_RULES`.
        custom: `CUSTOM_TERMS` of the plans that list their own terms; others are ignored.
        conventions: By the name in `convention_set`.
        calendars: By the name in `calendar`.
        with_trace: Also write how each date came about; without it `trace` is empty.

    Returns:
        Terms in minor units of the plan's currency; the amount is null where the plan's total is
        not known. `sequence` is the order in which the rule makes the terms; merged terms leave a
        gap. The frames are of the shape of their tables and are not gated here: the caller gates
        what it keeps.

    Raises:
        MissingConventionsError: a plan names a set of conventions that was not given.
        MissingCalendarError: a plan names a calendar that was not given.
        UnknownCalendarError: the holidays library has no such calendar.

    Invariants: per plan the amounts add up to its total; dates never decrease unless a note says so.
    """
    given = CUSTOM_TERMS.empty() if custom is None else custom
    prepared = prepare(rules, given, conventions)
    missing = prepared.filter(pl.col("missing_input").is_not_null()).select(NOT_REGENERABLE.columns)
    plans = _ruled(prepared.filter(pl.col("missing_input").is_null() & (pl.col("count") > 0)))
    if plans.is_empty():
        return Regenerated(EXPECTED_TERMS.empty(), missing)
    layout = Layout.of(plans["count"])
    nominal, moved = _dates(plans, layout, calendars=calendars, with_trace=with_trace)
    amounts = spread_amounts(plans, layout.owner, layout.ordinal, layout.first)
    rows = _rows(layout, nominal, moved, amounts)
    rows = _with_given(rows, plans, layout, given, with_trace=with_trace)
    return Regenerated(_finished(_settled(rows, plans), plans), missing)


def _ruled(plans: pl.DataFrame) -> pl.DataFrame:
    """Return the plans with the numbers of their shift rule and month rule, and their `row`."""
    ruled = plans.with_columns(
        weekend_first=pl.col("shift_order") == "WEEKEND_FIRST",
        repeats=pl.col("shift_mode") == "REPEAT",
        # A plan that lists its own terms has no rule to follow and none to shift.
        step=pl.when("is_custom").then(1).otherwise("step"),
        dates_a_month=pl.when("is_custom").then(0).otherwise("dates_a_month"),
        first_due_date=pl.when("is_custom").then(date(2000, 1, 1)).otherwise("first_due_date"),
        weekend_shift=pl.when("is_custom").then(0).otherwise("weekend_shift"),
        holiday_shift=pl.when("is_custom").then(0).otherwise("holiday_shift"),
    )
    kinds = ruled.select(RULE).unique().sort(RULE).with_row_index("shift_rule")
    joined_on = ruled.join(kinds, on=RULE, how="left", maintain_order="left", validate="m:1")
    return joined_on.with_columns(rule=rule_codes(joined_on)).with_row_index("row")


def _dates(
    plans: pl.DataFrame, layout: Layout, *, calendars: Mapping[str, Calendar], with_trace: bool
) -> tuple[pl.Series, Shifted]:
    """Return the nominal day number of every row, and what its shifts make of it."""
    slots, placed = _slots(plans)
    nominal = _nominal(placed, layout, slots)
    kinds = plans.select("shift_rule", *RULE).unique().sort("shift_rule").select(RULE)
    rule = layout.spread(plans["shift_rule"])
    if not plans.select((pl.col("cascade") | pl.col("drift")).any()).item():
        return nominal, shifted(kinds, rule, nominal, calendars=calendars, with_text=with_trace)
    shift = _shift(kinds, nominal, calendars)
    chained = _chained(placed, layout, nominal, shift(rule, nominal).days)
    if chained.height:
        found = in_sequence(chained, slots, lambda rules, days: shift(rules, days).days)
        # The dates worked out term by term, put at their rows: first of the plan plus place within it.
        nominal = nominal.scatter(layout.first.gather(found["row"]) + found["ordinal"], found["nominal"])
    if with_trace:
        return nominal, shifted(kinds, rule, nominal, calendars=calendars)
    return nominal, shift(rule, nominal)


def _shift(
    kinds: pl.DataFrame, nominal: pl.Series, calendars: Mapping[str, Calendar]
) -> Callable[[pl.Series, pl.Series], Shifted]:
    """Return a function from rules and days to shifts, made once for these dates and those near them."""
    low, high = nominal.to_frame("day").select(low=pl.min("day") - _ASTRAY, high=pl.max("day") + _ASTRAY).row(0)
    table = None
    if is_roomy(kinds, low, high, len(nominal)):
        table = ShiftTable.of(kinds, low, high, calendars=calendars, with_text=False)

    def shift(rule: pl.Series, day: pl.Series) -> Shifted:
        if table is not None and table.holds(day):
            return table.at(rule, day)
        return shifted(kinds, rule, day, calendars=calendars, with_text=False)

    return shift


def _chained(placed: pl.DataFrame, layout: Layout, nominal: pl.Series, expected: pl.Series) -> pl.DataFrame:
    """Return the plans that have to be worked out term by term, each with the first term from which.

    Under cascade that is the first one whose date moves, for the terms before it are those of the table. Weekly terms
    with Friday closed:

        nominal    Thu 1 Jan   Fri 9 Jan   ...
        expected   Thu 1 Jan   Sat 10 Jan       from the second on, 17 Jan is a week after 10 Jan

    Under drift it is the first of plans with a day that some month lacks; all others keep their day.
    """
    # Rows that move, of plans under cascade; of them the first of each plan.
    rows = ((expected != nominal) & layout.spread(placed["cascade"])).arg_true().cast(pl.Int64)
    owner = layout.owner.gather(rows)
    is_first = changes(owner)
    day = pl.col("first_day").fill_null(pl.col("first_due_date").dt.day().cast(pl.Int64))
    is_late = pl.max_horizontal(day, pl.when(pl.col("dates_a_month") > 1).then("second_day")) > _SHORTEST
    by_day = (pl.col("dates_a_month") > 0) & (pl.col("pattern") == "DAY")
    drifting = placed.select(pl.col("drift") & by_day & is_late.fill_null(value=False)).to_series().arg_true()
    at = pl.concat([rows.filter(is_first), layout.first.gather(drifting)])
    plans = placed[pl.concat([owner.filter(is_first), drifting])].with_columns(
        ordinal=layout.ordinal.gather(at), nominal=nominal.gather(at)
    )
    by_month = pl.col("dates_a_month") > 0
    return plans.with_columns(place=pl.col("place") + pl.when(by_month).then("ordinal").otherwise(0))


def _slots(plans: pl.DataFrame) -> tuple[Slots, pl.DataFrame]:
    """Return the table of dates of the month rules, and the plans with the place of their first one in it."""
    month = month_number(pl.col("first_due_date"))
    lowest = int(plans.select(month.min()).item())
    widest = pl.col("weekend_shift").abs() + pl.col("holiday_shift").abs()
    # Repeated shifts can lead far: a week again and again until there is no holiday.
    farthest = widest * pl.when("repeats").then(MOST_MOVES).otherwise(1)
    wander = pl.when("cascade").then(pl.col("count") * (farthest // _SHORTEST + 1)).otherwise(0)
    day = pl.col("first_due_date").cast(pl.Int32)
    skips = pl.col("fifth_week") == "SKIP"
    by_month = pl.col("dates_a_month") > 0
    starts = plans.select(
        "rule",
        month=month,
        day=day,
        base=pl.when(by_month).then(0).otherwise(day).cast(pl.Int32),
        months=(month - lowest) + pl.col("count") * pl.when(skips).then(_SKIPPED).otherwise(1) + _SKIPPED + wander,
    )
    slots = Slots.of(plans["rule"], lowest, starts["months"])
    place = slots.first_from(starts)
    return slots, plans.with_columns(starts["base"], place=pl.when(by_month).then(place).otherwise(0))


def _nominal(placed: pl.DataFrame, layout: Layout, slots: Slots) -> pl.Series:
    by_month = placed["dates_a_month"] > 0
    if not by_month.any():
        return _stepped(placed, layout)
    # A monthly plan's k-th term is k places after its first in the table; others stay at the unused entry, which is 0.
    at = layout.spread(placed["place"]) + layout.ordinal * layout.spread(by_month.cast(pl.Int64))
    if by_month.all():
        return slots.days.gather(at)
    return _stepped(placed, layout) + slots.days.gather(at)


def _stepped(placed: pl.DataFrame, layout: Layout) -> pl.Series:
    # The plan's first day plus as many steps as the term's place in the plan.
    step = layout.spread(placed["step"].cast(pl.Int32))
    return layout.spread(placed["base"]) + step * layout.ordinal.cast(pl.Int32)


def _rows(layout: Layout, nominal: pl.Series, moved: Shifted, amounts: pl.Series) -> pl.DataFrame:
    notes = pl.when(pl.lit(moved.cycles)).then(pl.lit(SHIFT_CYCLE)).otherwise(pl.lit(""))
    return pl.DataFrame(
        {
            "plan": layout.owner,
            "sequence": layout.ordinal + 1,
            "nominal": nominal,
            "expected": moved.days,
            "amount": amounts,
            "trace": moved.text,
        }
    ).with_columns(notes=notes if moved.cycles.any() else pl.lit(""))


def _with_given(
    rows: pl.DataFrame, plans: pl.DataFrame, layout: Layout, custom: pl.DataFrame, *, with_trace: bool
) -> pl.DataFrame:
    """Return the rows with the terms that plans list themselves in place of the generated ones."""
    with_own = plans.filter("is_custom").select("plan_no", plan="row")
    if with_own.is_empty():
        return rows
    given = custom.join(with_own, on="plan_no", validate="m:1").sort("plan", "due_date", "sequence")
    counts = given.group_by("plan", maintain_order=True).len()["len"].cast(pl.Int64)
    place = Layout.of(counts).ordinal
    # The row of each given term: first of its plan plus its place among the plan's given terms.
    at = layout.first.gather(given["plan"]) + place
    days = given["due_date"].cast(pl.Int32)
    changed = rows.with_columns(
        nominal=rows["nominal"].scatter(at, days),
        expected=rows["expected"].scatter(at, days),
        amount=rows["amount"].scatter(at, given["amount_minor"]),
        notes=rows["notes"].scatter(at, pl.Series([""]).new_from_index(0, len(at))),
    )
    if not with_trace:
        return changed
    text = given.select(pl.concat_str(pl.col("due_date").dt.to_string("%Y-%m-%d (%a)"), pl.lit(f": {AS_GIVEN}")))
    return changed.with_columns(trace=changed["trace"].scatter(at, text.to_series()))


def _settled(rows: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with collisions settled; only plans whose dates meet or run backwards are looked at."""
    meets = (pl.col("expected").diff() <= 0) & (pl.col("sequence") > 1)
    troubled = rows.filter(rows.select(meets.fill_null(value=False)).to_series())["plan"].unique()
    if troubled.is_empty():
        return rows
    # From plans to a flag per plan to a flag per row.
    is_troubled = pl.repeat(False, plans.height, dtype=pl.Boolean, eager=True).scatter(troubled, True)
    mask = is_troubled.gather(rows["plan"])
    part = rows.filter(mask)
    with_convention = part.with_columns(collision=plans["collision"].gather(part["plan"]))
    settled = settle(with_convention).select(rows.columns)
    if settled.height != part.height:
        return pl.concat([rows.filter(~mask), settled]).sort("plan", "sequence")
    at = mask.arg_true()
    changed = ("expected", "amount", "trace", "notes")
    return rows.with_columns([rows[name].scatter(at, settled[name]) for name in changed])


def _finished(rows: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        plans["plan_no"].gather(rows["plan"]).alias("plan_no"),
        "sequence",
        pl.col("nominal").cast(pl.Date).alias("nominal_due_date"),
        pl.col("expected").cast(pl.Date).alias("expected_due_date"),
        pl.col("amount").alias("expected_amount_minor"),
        "trace",
        "notes",
    )
