"""The command `schedule`: the terms that given plan parameters lead to, by the engine that every run uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

import polars as pl

from flows.ask import write
from flows.errors import UsageError
from schemas.conventions import Conventions
from schemas.currencies import EXPONENTS, plain
from schemas.schedules import CUSTOM_TERMS, PLAN_RULES
from transforms.calendars import UnknownCalendarError, check_calendar
from transforms.closed_days import Calendar, OwnDays, own_days
from transforms.schedules import regenerate

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FREQUENCIES = {
    "days": "DAYS",
    "weekly": "WEEKLY",
    "bi-weekly": "BIWEEKLY",
    "semi-monthly": "SEMIMONTHLY",
    "monthly": "MONTHLY",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Plan parameters as a person gives them: amounts in major units, weekdays by name.

    `listed` are the plan's own terms, date and amount; then no rule is asked.
    """

    first_date: date
    frequency: str = "monthly"
    total: str | None = None
    count: int | None = None
    amount: str | None = None
    currency: str = "EUR"
    day: int | None = None
    second_day: int | None = None
    weekday: str | None = None
    second_weekday: str | None = None
    week: int | None = None
    second_week: int | None = None
    days_in_period: int | None = None
    weekend_shift: int = 0
    holiday_shift: int = 0
    calendar: str = ""
    weekend: tuple[int, ...] = (6, 7)
    closed: OwnDays = ()
    listed: tuple[tuple[date, str], ...] = ()
    conventions: Conventions = field(default_factory=Conventions)


def print_schedule(wanted: Wanted, *, style: str) -> int:
    """Print the terms with the trace of each date and return 0.

    Raises:
        UsageError: the parameters do not make a schedule; the message names the one that is missing.
    """
    write(schedule_of(wanted), style, longest=400)
    return 0


def schedule_of(wanted: Wanted) -> pl.DataFrame:
    """Return one row per term: number, nominal and shifted due date, amount in major units, trace and notes."""
    found = regenerate(
        _rules(wanted),
        _listed(wanted),
        conventions={"given": wanted.conventions},
        calendars={"given": _calendar(wanted)},
    )
    if found.missing.height:
        raise UsageError(
            f"no schedule can be made: {found.missing['missing_input'][0]} is missing or does not fit; see `planrecon schedule --help`"
        )
    return found.terms.select(
        term_no=pl.int_range(1, pl.len() + 1),
        nominal_due_date="nominal_due_date",
        due_date="expected_due_date",
        amount=plain(pl.col("expected_amount_minor"), pl.lit(wanted.currency)),
        currency=pl.lit(wanted.currency),
        trace="trace",
        notes="notes",
    )


def _calendar(wanted: Wanted) -> Calendar:
    try:
        if wanted.calendar:
            check_calendar(wanted.calendar)
    except UnknownCalendarError as error:
        raise UsageError(str(error)) from None
    return Calendar(wanted.calendar, wanted.weekend, wanted.closed)


def closed_days(given: Sequence[str]) -> OwnDays:
    """Read closed days from flags or a file: each a date and perhaps a name, several of them with commas between.

    Raises:
        UsageError: one of them is no date, or is given twice.
    """
    try:
        return own_days(part for each in given for part in each.split(",") if part.strip())
    except ValueError as error:
        raise UsageError(f"--closed: {error}") from None


def _rules(wanted: Wanted) -> pl.DataFrame:
    if wanted.currency not in EXPONENTS:
        raise UsageError(f"currency {wanted.currency!r} is no ISO 4217 code; give for example EUR")
    if wanted.count is not None and wanted.amount is not None:
        raise UsageError("a number of terms and an amount of each exclude one another; leave out --count or --amount")
    is_by_weekday = wanted.weekday is not None and wanted.week is not None
    row = {
        "plan_no": 0,
        "convention_set": "given",
        "calendar": "given",
        "currency": wanted.currency,
        "arrangement": "CUSTOM" if wanted.listed else "AMOUNT" if wanted.count is None else "NUMBER",
        "frequency": _word(wanted.frequency, FREQUENCIES, "frequency"),
        "pattern": "WEEKDAY" if is_by_weekday else "DAY",
        "days_in_period": wanted.days_in_period,
        "first_due_date": wanted.first_date,
        "first_day": wanted.day,
        "second_day": wanted.second_day,
        "first_weekday": _weekday(wanted.weekday),
        "second_weekday": _weekday(wanted.second_weekday),
        "first_week": wanted.week,
        "second_week": wanted.second_week,
        "term_count": wanted.count,
        "term_amount_minor": _minor(wanted.amount, wanted.currency, "amount"),
        "total_minor": _minor(wanted.total, wanted.currency, "total"),
        "weekend_shift": wanted.weekend_shift,
        "holiday_shift": wanted.holiday_shift,
        "missing_input": None,
    }
    return pl.DataFrame([row], schema=dict(PLAN_RULES.dtypes))


def _listed(wanted: Wanted) -> pl.DataFrame:
    rows = [
        (0, number, due, _minor(amount, wanted.currency, "amount"))
        for number, (due, amount) in enumerate(wanted.listed, 1)
    ]
    return pl.DataFrame(rows, schema=dict(CUSTOM_TERMS.dtypes), orient="row")


def _minor(text: str | None, currency: str, name: str) -> int | None:
    """Read an amount of major units exactly; a fraction of a minor unit is refused."""
    if text is None:
        return None
    try:
        minor = Decimal(text).scaleb(EXPONENTS[currency])
    except InvalidOperation:
        raise UsageError(f"--{name} {text!r} is no amount; write it like 1000.00") from None
    if not minor.is_finite() or minor != minor.to_integral_value() or minor < 0:
        raise UsageError(f"--{name} {text!r} is no amount of {currency}; it has {EXPONENTS[currency]} places")
    return int(minor)


def _weekday(name: str | None) -> int | None:
    if name is None:
        return None
    found = [number for number, full in enumerate(WEEKDAYS, 1) if full.startswith(name.strip().lower()[:3])]
    if not found:
        raise UsageError(f"weekday {name!r} is none; give for example Monday")
    return found[0]


def _word(given: str, known: Mapping[str, str], name: str) -> str:
    if given not in known:
        raise UsageError(f"{name} {given!r} is none of {', '.join(known)}")
    return known[given]
