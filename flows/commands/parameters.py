"""Plan parameters from flags and a JSON file: by the same names, or as the body of a Totality create call."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from flows.commands.schedule import Wanted, closed_days, weekend
from flows.errors import UsageError
from flows.given import read_text
from schemas.conventions import CHOICES, Conventions

PROVIDER_NAMES = {
    "firstPaymentDate": "first_date",
    "paymentFrequency": "frequency",
    "numberOfPayments": "count",
    "paymentAmount": "amount",
    "totalPlanAmount": "total",
    "firstPaymentDay": "day",
    "secondPaymentDay": "second_day",
    "weekdayOfFirstPayment": "weekday",
    "weekdayOfSecondPayment": "second_weekday",
    "weekOfFirstPayment": "week",
    "weekOfSecondPayment": "second_week",
    "daysInPeriod": "days_in_period",
    "movePaymentOnWeekendDays": "weekend_shift",
    "movePaymentOnHolidayDays": "holiday_shift",
    "schedule": "listed",
}
"""Names of a create call's body that mean one of ours."""

SAYS_NOTHING = {"isPartialPaymentPlan", "collectorUserId", "contactMethod"}
UNUSED = {
    "Payment Number Based": {"amount", "listed"},
    "Payment Amount Based": {"count", "listed"},
    "Custom Payment Schedule": {"amount", "count"},
    "Day-Based": {"weekday", "week", "second_weekday", "second_week"},
    "Weekday-Based": {"day", "second_day"},
}
"""Parameters that a create call may carry and that its kind of plan has no use for."""


CONVENTIONS = tuple(field.name for field in fields(Conventions) if field.name != "drift")
"""Conventions a person may choose; drift is there to recognise a fault."""

_KINDS: dict[str, Any] = {
    "first_date": date,
    **dict.fromkeys(("frequency", "total", "amount", "currency", "weekday", "second_weekday", "calendar"), str),
    **dict.fromkeys(("count", "day", "second_day", "week", "second_week", "days_in_period"), int),
    **dict.fromkeys(("weekend_shift", "holiday_shift"), int),
    "weekend": list[str | int] | str,
    "closed": list[str] | str,
    "listed": tuple[tuple[date, str], ...],
    **dict.fromkeys(CONVENTIONS, str),
    "cascade": bool,
}
"""What each parameter must be."""


def wanted(file: Path | None, flags: Mapping[str, Any]) -> Wanted:
    """Return the plan parameters of a JSON file and of flags, by the same names; a flag that is not None wins.

    Raises:
        UsageError: the file is no JSON object, names something unknown, a value is not what it should be,
            or there is no first date.
    """
    told, names = _read(file) if file else ({}, {})
    given = told | {name: value for name, value in flags.items() if value is not None}
    names = {name: text for name, text in names.items() if flags.get(name.removesuffix("=")) is None}

    def called(name: str) -> str:
        return names.get(name, f"--{name.replace('_', '-')}")

    for name, read in (("closed", closed_days), ("weekend", weekend)):
        if name in given:
            given[name] = read([given[name]] if isinstance(given[name], str) else given[name], called(name))
    chosen = {name: given.pop(name) for name in CONVENTIONS if name in given}
    for name, value in chosen.items():
        if name in CHOICES and value not in CHOICES[name]:
            raise UsageError(f"{called(name)} is {value!r}; use one of {', '.join(CHOICES[name])}")
    if "first_date" not in given:
        raise UsageError("--first-date is missing; every date is counted from it")
    return Wanted(**given, conventions=Conventions(**chosen), names=names)


def _read(file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the parameters of a JSON object by the names of `Wanted`, and how the file says each."""
    try:
        given = json.loads(read_text(file), parse_float=str)
    except ValueError as error:
        raise UsageError(f"{str(file)!r} cannot be read as JSON: {error}") from error
    if not isinstance(given, dict):
        raise UsageError(f"{str(file)!r} holds no JSON object")
    is_body = any(name in given for name in ("paymentArrangementType", "paymentFrequency", "firstPaymentDate"))
    found, names = _in_our_names(given, str(file))
    if is_body:
        found = _in_major_units(found, str(file))
    unused = UNUSED.get(str(given.get("paymentArrangementType")), set()) | UNUSED.get(
        str(given.get("scheduleType")), set()
    )
    return {name: _fitting(name, value, str(file)) for name, value in found.items() if name not in unused}, names


def _in_our_names(given: Mapping[str, Any], file: str) -> tuple[dict[str, Any], dict[str, str]]:
    found: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name, value in given.items():
        if value is None or name in SAYS_NOTHING or name in {"paymentArrangementType", "scheduleType"}:
            continue
        ours = PROVIDER_NAMES.get(name, name.replace("-", "_"))
        if ours not in _KINDS:
            raise UsageError(f"{file!r} names {name!r}, which is no plan parameter; known are {', '.join(_KINDS)}")
        found[ours] = value
        names[ours] = f"{file!r}: {name}"
        names[f"{ours}="] = f"{file!r}: {name} {value!r}"
    return found, names


def _in_major_units(body: dict[str, Any], file: str) -> dict[str, Any]:
    """Return a body's parameters with its amounts, which are cents, as those of a person."""

    def major(cents: Any) -> str:
        try:
            return str(Decimal(int(cents)).scaleb(-2))
        except (TypeError, ValueError, InvalidOperation):
            raise UsageError(f"{file!r}: {cents!r} is no whole number of cents") from None

    changed: dict[str, Any] = {name: major(body[name]) for name in ("amount", "total") if name in body}
    if isinstance(body.get("listed"), list) and all(isinstance(term, dict) for term in body["listed"]):
        changed["listed"] = [(term.get("date"), major(term.get("amount"))) for term in body["listed"]]
    return {"currency": "USD"} | body | changed


def _fitting(name: str, value: Any, file: str) -> Any:
    is_text_of_number = name in {"total", "amount"} and isinstance(value, int) and not isinstance(value, bool)
    kind = TypeAdapter(_KINDS[name], config=ConfigDict(coerce_numbers_to_str=is_text_of_number))
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]["msg"]
        raise UsageError(f"{file!r}: {name} {value!r} cannot be used: {fault}") from None
