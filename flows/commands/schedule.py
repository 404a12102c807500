"""The command `schedule`: the terms that given plan parameters lead to, by the engine that every run uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

import polars as pl

from flows.commands.answers import write
from flows.errors import UsageError
from schemas.columns import MAX_MINOR
from schemas.conventions import Conventions
from schemas.currencies import EXPONENTS, plain
from schemas.schedules import CUSTOM_TERMS, PLAN_RULES
from transforms.calendars.business_days import (
    WEEKEND,
    UnknownCalendarError,
    check_calendar,
    weekday_number,
    weekend_days,
)
from transforms.calendars.closed_days import Calendar, OwnDays, own_days
from transforms.schedules.derive import MAX_TERMS
from transforms.schedules.inputs import FIRST_YEAR, LAST_YEAR, MOST_STEP
from transforms.schedules.patterns import FIFTH, LAST_DAY
from transforms.schedules.regenerate import regenerate
from transforms.schedules.shifts import MOST_DAYS

FREQUENCIES = {
    "days": "DAYS",
    "weekly": "WEEKLY",
    "bi-weekly": "BIWEEKLY",
    "semi-monthly": "SEMIMONTHLY",
    "monthly": "MONTHLY",
}


@dataclass(frozen=True, slots=True)
class PlanParameters:
    """Plan parameters as a person gives them: amounts in major units, weekdays by name.

    `listed` are the plan's own terms, date and amount; then no rule is asked. `names` tells, of what
    did not come from a flag, what the person calls it, and under the name with `=` its whole text.
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
    weekend: tuple[int, ...] = WEEKEND
    closed: OwnDays = ()
    listed: tuple[tuple[date, str], ...] = ()
    conventions: Conventions = field(default_factory=Conventions)
    names: Mapping[str, str] = field(default_factory=dict)

    def called(self, name: str) -> str:
        """Return what the person calls a parameter: the key of their file, else the flag."""
        return self.names.get(name, f"--{name.replace('_', '-')}")

    def said(self, name: str) -> str:
        """Return a parameter as the person gave it: its name and its value."""
        return self.names.get(f"{name}=", f"{self.called(name)} {getattr(self, name)!r}")


def print_schedule(parameters: PlanParameters, *, style: str) -> int:
    """Print the terms with the trace of each date and return 0.

    Raises:
        UsageError: the parameters do not make a schedule; the message names the one that is missing.
    """
    write(schedule_of(parameters), style)
    return 0


def schedule_of(parameters: PlanParameters) -> pl.DataFrame:
    """Return one row per term: number, nominal and shifted due date, amount in major units, trace and notes.

    Raises:
        UsageError: a parameter is missing, outside its limits, or contradicts another.
    """
    _refuse(parameters)
    schedule = regenerate(
        _rules(parameters),
        _listed(parameters),
        conventions={"given": parameters.conventions},
        calendars={"given": _calendar(parameters)},
    )
    if schedule.missing.height:
        raise UsageError(
            f"no schedule can be made: {schedule.missing['missing_input'][0]} is missing or does not fit; see `planrecon schedule --help`"
        )
    return schedule.terms.select(
        term_no=pl.int_range(1, pl.len() + 1),
        nominal_due_date="nominal_due_date",
        due_date="expected_due_date",
        amount=plain(pl.col("expected_amount_minor"), pl.lit(parameters.currency)),
        currency=pl.lit(parameters.currency),
        trace="trace",
        notes="notes",
    )


def _calendar(parameters: PlanParameters) -> Calendar:
    try:
        if parameters.calendar:
            check_calendar(parameters.calendar)
    except UnknownCalendarError as error:
        raise UsageError(f"{parameters.called('calendar')}: {error}") from None
    return Calendar(parameters.calendar, parameters.weekend, parameters.closed)


def closed_days(given: Sequence[str], called: str = "--closed") -> OwnDays:
    """Read closed days: each a date or a range and perhaps a name, several of them with commas between.

    Raises:
        UsageError: one of them is no date, or is given twice; the message begins with `called`.
    """
    try:
        return own_days(part for each in given for part in each.split(",") if part.strip())
    except ValueError as error:
        raise UsageError(f"{called}: {error}") from None


def weekend(given: Sequence[str | int], called: str = "--weekend") -> tuple[int, ...]:
    """Read the days of a weekend by name or ISO number, several of them with commas between; `none` for no weekend.

    Raises:
        UsageError: one of them is no weekday; the message begins with `called`.
    """
    try:
        return weekend_days(part for each in given for part in str(each).split(","))
    except ValueError as error:
        raise UsageError(f"{called}: {error}") from None


def _rules(parameters: PlanParameters) -> pl.DataFrame:
    is_by_weekday = parameters.weekday is not None and parameters.week is not None
    row = {
        "plan_no": 0,
        "convention_set": "given",
        "calendar": "given",
        "currency": parameters.currency,
        "arrangement": "CUSTOM" if parameters.listed else "AMOUNT" if parameters.count is None else "NUMBER",
        "frequency": _word(parameters),
        "pattern": "WEEKDAY" if is_by_weekday else "DAY",
        "days_in_period": parameters.days_in_period,
        "first_due_date": parameters.first_date,
        "first_day": parameters.day,
        "second_day": parameters.second_day,
        "first_weekday": _weekday(parameters, "weekday"),
        "second_weekday": _weekday(parameters, "second_weekday"),
        "first_week": parameters.week,
        "second_week": parameters.second_week,
        "term_count": parameters.count,
        "term_amount_minor": _minor(parameters, "amount"),
        "total_minor": _minor(parameters, "total"),
        "weekend_shift": parameters.weekend_shift,
        "holiday_shift": parameters.holiday_shift,
        "missing_input": None,
    }
    return pl.DataFrame([row], schema=dict(PLAN_RULES.dtypes))


def _listed(parameters: PlanParameters) -> pl.DataFrame:
    rows = [
        (0, number, due, _minor_of(amount, parameters.currency, f"{parameters.called('listed')} {amount!r}"))
        for number, (due, amount) in enumerate(parameters.listed, 1)
    ]
    return pl.DataFrame(rows, schema=dict(CUSTOM_TERMS.dtypes), orient="row")


def _minor(parameters: PlanParameters, name: str) -> int | None:
    text = getattr(parameters, name)
    return None if text is None else _minor_of(text, parameters.currency, parameters.said(name))


def _minor_of(text: str, currency: str, said: str) -> int:
    """Read an amount of major units exactly; a fraction of a minor unit is refused. `said` is what a refusal names."""
    places = EXPONENTS[currency]
    try:
        minor = Decimal(text).scaleb(places)
    except InvalidOperation:
        raise UsageError(f"{said} is no amount; write it like 1000.00") from None
    if not minor.is_finite():
        raise UsageError(f"{said} is no amount; write it like 1000.00")
    if minor < 0:
        raise UsageError(f"{said} is below zero; give 0 or more")
    if minor > MAX_MINOR:
        raise UsageError(f"{said} is too large; give at most {Decimal(MAX_MINOR).scaleb(-places):,f}")
    if minor != minor.to_integral_value():
        raise UsageError(f"{said} has a fraction of the smallest unit; {currency} has {places} places, give no more")
    return int(minor)


def _weekday(parameters: PlanParameters, name: str) -> int | None:
    given = getattr(parameters, name)
    try:
        return None if given is None else weekday_number(given)
    except ValueError as error:
        raise UsageError(f"{parameters.called(name)}: {error}") from None


def _word(parameters: PlanParameters) -> str:
    if parameters.frequency not in FREQUENCIES:
        raise UsageError(f"{parameters.said('frequency')} is unknown; use one of {', '.join(FREQUENCIES)}")
    return FREQUENCIES[parameters.frequency]


def _refuse(parameters: PlanParameters) -> None:
    """Raise if no schedule can be made of the parameters; the message has the person's name, the value and the limit.

    Raises:
        UsageError: something is missing, outside its limits, or contradicts another.
    """
    if parameters.currency not in EXPONENTS:
        raise UsageError(f"{parameters.said('currency')} is no ISO 4217 code; give for example EUR")
    _refuse_year(parameters)
    if parameters.listed:
        return
    _refuse_outside(parameters)
    _refuse_missing(parameters, _word(parameters))
    _refuse_amounts(parameters)


def _refuse_year(parameters: PlanParameters) -> None:
    for day in (parameters.first_date, *(due for due, _ in parameters.listed)):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            where = "first_date" if day == parameters.first_date else "listed"
            raise UsageError(f"{parameters.called(where)} {day}: give a date of the years {FIRST_YEAR} to {LAST_YEAR}")


def _refuse_outside(parameters: PlanParameters) -> None:
    limits = {
        "count": (1, MAX_TERMS),
        **dict.fromkeys(("day", "second_day"), (1, LAST_DAY)),
        **dict.fromkeys(("week", "second_week"), (1, FIFTH)),
        "days_in_period": (1, MOST_STEP),
        **dict.fromkeys(("weekend_shift", "holiday_shift"), (-MOST_DAYS, MOST_DAYS)),
    }
    for name, (least, most) in limits.items():
        value = getattr(parameters, name)
        if value is not None and not least <= value <= most:
            raise UsageError(f"{parameters.said(name)} is out of range; give {least} to {most}")


def _refuse_missing(parameters: PlanParameters, frequency: str) -> None:
    called = parameters.called
    if parameters.count is not None and parameters.amount is not None:
        raise UsageError(
            f"{parameters.said('count')} and {parameters.said('amount')} exclude one another; leave one of them out"
        )
    needs = {
        "count": parameters.count is None and parameters.amount is None,
        "total": parameters.amount is not None and parameters.total is None,
    }
    if needs["count"]:
        raise UsageError(
            f"{called('count')} is missing; give a number of terms, or {called('amount')} for the amount of each"
        )
    if needs["total"]:
        raise UsageError(f"{called('total')} is missing; give it, {called('amount')} makes as many terms as it takes")
    if frequency == "DAYS" and parameters.days_in_period is None:
        raise UsageError(f"{called('days_in_period')} is missing; give it, {parameters.said('frequency')} needs it")
    if frequency not in {"MONTHLY", "SEMIMONTHLY"}:
        return
    pairs = [("week", "weekday")] + [("second_week", "second_weekday")] * (frequency == "SEMIMONTHLY")
    is_by_weekday = parameters.week is not None or parameters.weekday is not None
    wanting = [name for pair in pairs for name in pair if getattr(parameters, name) is None] if is_by_weekday else []
    if frequency == "SEMIMONTHLY" and not is_by_weekday and parameters.second_day is None:
        wanting = ["second_day"]
    if wanting:
        raise UsageError(
            f"{called(wanting[0])} is missing; give it: a {parameters.frequency} plan by days of the month takes "
            f"{called('day')}{' and ' + called('second_day') if len(pairs) > 1 else ''}, one by weekdays "
            f"{', '.join(called(name) for pair in pairs for name in pair)}"
        )


def _refuse_amounts(parameters: PlanParameters) -> None:
    amount, total = _minor(parameters, "amount"), _minor(parameters, "total")
    if amount is None or total is None:
        return
    if amount == 0:
        raise UsageError(f"{parameters.said('amount')} never makes up the total; give more than 0")
    if total == 0:
        raise UsageError(f"{parameters.said('total')} leaves no term to make; give more than 0")
    terms = -(-total // amount)
    if terms > MAX_TERMS:
        least = Decimal(-(-total // MAX_TERMS)).scaleb(-EXPONENTS[parameters.currency])
        raise UsageError(
            f"{parameters.said('amount')} makes {terms:,} terms of {parameters.said('total')}, and a plan has at most "
            f"{MAX_TERMS:,}; give an amount of at least {least:f}"
        )
