"""Move dates that fall on a weekend or a holiday, for every rule in use and every day at once.

Shifts are signed numbers of days; 0 leaves the date. One number cannot mean "next
business day": two days later is Monday for a Saturday and Tuesday for a Sunday.
Days are counted from 1970-01-01.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from transforms.calendars.closed_days import UNNAMED, Calendar
from transforms.segments import looked_up

SHIFT_CYCLE = "SHIFT_CYCLE"
"""The shifts lead back to a day already seen, or nowhere; the nominal date is kept."""

MOST_MOVES = 40
"""Moves after which shifts that never reach an open day count as a cycle."""

MOST_DAYS = 60
"""Largest shift that is accepted; a larger one is a fault of the rule."""

RULE = ("calendar", "weekend_shift", "holiday_shift", "weekend_first", "repeats")
"""What tells one shift rule from another."""

_EPOCH = date(1970, 1, 1)


class MissingCalendarError(ValueError):
    """A plan names a calendar that was not given."""

    def __init__(self, names: list[str]) -> None:
        """Say which."""
        super().__init__(f"no calendar was given for {', '.join(names)}; add it to the calendars of this call")


_ROOMY = 4
"""A table of all days is made if it has at most this many entries for each date to shift."""


@dataclass(frozen=True, slots=True)
class Shifted:
    """Per date: the shifted day number, whether the shifts cycle, and how it came about (empty without texts)."""

    days: pl.Series
    cycles: pl.Series
    text: pl.Series


def shifted(
    rules: pl.DataFrame,
    rule: pl.Series,
    day: pl.Series,
    *,
    calendars: Mapping[str, Calendar],
    with_text: bool = True,
) -> Shifted:
    """Return every date shifted by its rule.

    Args:
        rules: The columns of `RULE`, one row per rule.
        rule: Row number in `rules` of each date.
        day: Day number of each date; there is at least one.
        calendars: By the name the rules use; an empty name needs none and has Saturdays and Sundays only.
        with_text: Also say how each date came about.

    Raises:
        MissingCalendarError: a rule names a calendar that is not among `calendars`.
    """
    low, high = day.min(), day.max()
    if not isinstance(low, int) or not isinstance(high, int):
        raise TypeError("there are no dates to shift")
    if not is_roomy(rules, low, high, len(day)):
        closed = _Closed.of(low, high, rules, calendars)
        return _all_shifts(rules, pl.DataFrame({"rule": rule, "nominal": day}), closed, with_text=with_text)
    return ShiftTable.of(rules, low, high, calendars=calendars, with_text=with_text).at(rule, day)


def is_roomy(rules: pl.DataFrame, low: int, high: int, dates: int) -> bool:
    """Tell whether a table of all days from `low` to `high` is worth making for so many dates."""
    return rules.height * (high - low + 1) <= _ROOMY * dates


@dataclass(frozen=True, slots=True)
class ShiftTable:
    """Every day from `low` to `high` shifted by every rule: all days of the first rule, then of the next."""

    low: int
    high: int
    shifts: Shifted

    @classmethod
    def of(
        cls, rules: pl.DataFrame, low: int, high: int, *, calendars: Mapping[str, Calendar], with_text: bool
    ) -> "ShiftTable":
        """Work out the table; the arguments are those of `shifted`."""
        days = pl.DataFrame({"nominal": pl.int_range(low, high + 1, eager=True)})
        numbers = pl.DataFrame({"rule": pl.int_range(0, rules.height, eager=True)})
        closed = _Closed.of(low, high, rules, calendars)
        return cls(low, high, _all_shifts(rules, numbers.join(days, how="cross"), closed, with_text=with_text))

    def holds(self, day: pl.Series) -> bool:
        """Tell whether every day lies within the table."""
        return bool(((day >= self.low) & (day <= self.high)).all())

    def at(self, rule: pl.Series, day: pl.Series) -> Shifted:
        """Return every date, which the table must hold, shifted by its rule."""
        # Rule times days, plus the day: no table has so many that 32 bits would not hold its places.
        place = rule.cast(pl.UInt32) * (self.high - self.low + 1) + (day - self.low).cast(pl.UInt32)
        table = self.shifts
        return Shifted(table.days.gather(place), looked_up(table.cycles, place), looked_up(table.text, place))


def _all_shifts(rules: pl.DataFrame, dates: pl.DataFrame, closed: "_Closed", *, with_text: bool) -> Shifted:
    """Return every `nominal` day shifted by its `rule`, until neither of the rule's shifts applies any more."""
    nominal = dates["nominal"].cast(pl.Int64)
    fields = [rules[name].gather(dates["rule"]) for name in RULE]
    table = pl.DataFrame([nominal, *fields]).with_row_index("place").with_columns(day=pl.col("nominal"))
    table = closed.mark(table)
    if with_text:
        table = table.with_columns(text=_opening())
    is_moving = _moves_weekend() | _moves_holiday()
    ended = [_ended(table.filter(~is_moving), is_cycle=False)]
    moving = table.filter(is_moving).with_columns(seen=pl.concat_list("nominal"))
    if with_text:
        moving = moving.with_columns(edition=closed.edition())
    for _ in range(MOST_MOVES):
        if moving.is_empty():
            break
        moving, done = _pass(moving, closed)
        ended.append(done)
    ended.append(_ended(moving, is_cycle=True))
    whole = pl.concat(ended).sort("place")
    return Shifted(whole["day"].cast(pl.Int32), whole["is_cycle"], whole["text"])


def _pass(moving: pl.DataFrame, closed: "_Closed") -> tuple[pl.DataFrame, pl.DataFrame]:
    """Apply both shifts once, in the rule's order; return the rows to look at again and those that ended."""
    done = []
    for is_first in (True, False):
        stepped = _step(moving, closed, is_first=is_first)
        back = stepped.filter(pl.col("is_back"))
        done.append(_ended(back, is_cycle=True))
        moving = stepped.filter(~pl.col("is_back")).drop("is_back")
    again = pl.col("repeats") & (_moves_weekend() | _moves_holiday())
    done.append(_ended(moving.filter(~again), is_cycle=False))
    return moving.filter(again), pl.concat(done)


def _step(moving: pl.DataFrame, closed: "_Closed", *, is_first: bool) -> pl.DataFrame:
    is_weekend_step = pl.col("weekend_first") == pl.lit(is_first)
    applies = (is_weekend_step & _moves_weekend()) | (~is_weekend_step & _moves_holiday())
    by = pl.when(applies).then(
        pl.when(is_weekend_step).then(pl.col("weekend_shift")).otherwise(pl.col("holiday_shift"))
    )
    moved = moving.with_columns(
        by=by.fill_null(0), why=pl.when(is_weekend_step).then(pl.lit("weekend")).otherwise(_named())
    )
    moved = moved.with_columns(day=pl.col("day") + pl.col("by"))
    # Only a repeated rule can run in a circle; without repetition, a shift back to the start is allowed.
    is_back = pl.col("repeats") & (pl.col("by") != 0) & pl.col("seen").list.contains(pl.col("day"))
    moved = moved.with_columns(is_back=is_back, seen=pl.concat_list("seen", "day"))
    if "text" in moved.columns:
        moved = moved.with_columns(text=pl.when(pl.col("by") != 0).then(_continued()).otherwise("text"))
    return closed.mark(moved.drop("by", "why"))


def _moves_weekend() -> pl.Expr:
    return pl.col("is_weekend") & (pl.col("weekend_shift") != 0)


def _moves_holiday() -> pl.Expr:
    return pl.col("holiday").is_not_null() & (pl.col("holiday_shift") != 0)


def _ended(rows: pl.DataFrame, *, is_cycle: bool) -> pl.DataFrame:
    text = pl.col("text") if "text" in rows.columns else pl.lit("")
    if "edition" in rows.columns:  # only dates that moved depend on the calendar
        text = pl.concat_str("text", "edition")
    if not is_cycle:
        return rows.select("place", "day", pl.lit(value=False).alias("is_cycle"), text.alias("text"))
    kept = pl.concat_str(text, pl.lit("; the shifts never end, so it stays on "), written(pl.col("nominal")))
    return rows.select(
        "place",
        pl.col("nominal").alias("day"),
        pl.lit(value=True).alias("is_cycle"),
        (kept if "text" in rows.columns else text).alias("text"),
    )


def written(day: pl.Expr) -> pl.Expr:
    """Return a day number as traces write it: `2026-07-03 (Fri)`."""
    return day.cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d (%a)")


def days_written(by: pl.Expr) -> pl.Expr:
    """Return a signed number of days as text: `+1 day`, `-2 days`."""
    sign = pl.when(by > 0).then(pl.lit("+")).otherwise(pl.lit(""))
    unit = pl.when(by.abs() == 1).then(pl.lit(" day")).otherwise(pl.lit(" days"))
    return pl.concat_str(sign, by.cast(pl.String), unit)


def _named() -> pl.Expr:
    holiday = pl.col("holiday").fill_null("")
    return pl.when(holiday == UNNAMED).then(holiday).otherwise(pl.concat_str(pl.lit("holiday "), holiday))


def _opening() -> pl.Expr:
    stays = pl.when(pl.col("is_weekend") & (pl.col("weekend_shift") == 0)).then(pl.lit(": weekend, stays"))
    feast = pl.when(pl.col("holiday").is_not_null() & (pl.col("holiday_shift") == 0)).then(
        pl.concat_str(pl.lit(": "), _named(), pl.lit(", stays"))
    )
    return pl.concat_str(written(pl.col("nominal")), stays.otherwise(pl.lit("")), feast.otherwise(pl.lit("")))


def _continued() -> pl.Expr:
    return pl.concat_str(
        "text", pl.lit(": "), "why", pl.lit(", "), days_written(pl.col("by")), pl.lit(" to "), written(pl.col("day"))
    )


@dataclass(frozen=True, slots=True)
class _Closed:
    """Weekend and holiday of every day a shift can reach, calendar by calendar."""

    first: int
    span: int
    calendar: dict[str, int]
    editions: dict[str, str]
    weekend: pl.Series
    holiday: pl.Series

    @classmethod
    def of(cls, first: int, last: int, rules: pl.DataFrame, calendars: Mapping[str, Calendar]) -> "_Closed":
        by_name = {"": Calendar()} | dict(calendars)
        used = sorted(rules["calendar"].unique())
        if missing := [name for name in used if name not in by_name]:
            raise MissingCalendarError(missing)
        widest = rules.select(pl.col("weekend_shift").abs().max() + pl.col("holiday_shift").abs().max()).item() or 0
        margin = int(widest) * MOST_MOVES
        low, high = first - margin, last + margin
        days = pl.DataFrame({"day": pl.date_range(_day(low), _day(high), eager=True)})
        marked = [_marked(days, by_name[name]) for name in used]
        whole = pl.concat(marked)
        places = {name: place for place, name in enumerate(used)}
        editions = {name: _edition(by_name[name]) for name in used}
        return cls(low, high - low + 1, places, editions, whole["is_weekend"], whole["holiday"])

    def edition(self) -> pl.Expr:
        """Return the name and version of the calendar as the trace of a moved date ends; empty for a calendar without a name."""
        return pl.col("calendar").replace_strict(self.editions, default="", return_dtype=pl.String)

    def mark(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add `is_weekend` and `holiday` (its name) of the column `day`."""
        calendar = pl.col("calendar").replace_strict(self.calendar, default=0, return_dtype=pl.Int64)
        # Days of the first calendar, then of the next: calendar times days, plus the day.
        at = rows.select(at=calendar * self.span + pl.col("day") - self.first).to_series()
        return rows.with_columns(is_weekend=self.weekend.gather(at), holiday=self.holiday.gather(at))


def _edition(calendar: Calendar) -> str:
    return f"; calendar {calendar.label}" if calendar.name or calendar.own_days else ""


def _marked(days: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    years = days["day"].dt.year()
    named = calendar.holidays(int(years[0]), int(years[-1]))
    is_weekend = pl.col("day").dt.weekday().is_in(list(calendar.weekend))
    joined = days.join(named, on="day", how="left", maintain_order="left", validate="m:1")
    return joined.select(is_weekend.alias("is_weekend"), "holiday")


def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)
