"""Plan parameters from a JSON file: by our names, or as the body of a Totality create call."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from flows.errors import UsageError
from flows.schedule import Wanted, closed_days
from flows.settings import Weekday
from transforms.closed_days import OwnDays

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


def _closed(given: Any) -> Any:
    return closed_days(given) if isinstance(given, list) and all(isinstance(day, str) for day in given) else given


_KINDS: dict[str, Any] = {
    "first_date": date,
    **dict.fromkeys(("frequency", "total", "amount", "currency", "weekday", "second_weekday", "calendar"), str),
    **dict.fromkeys(("count", "day", "second_day", "week", "second_week", "days_in_period"), int),
    **dict.fromkeys(("weekend_shift", "holiday_shift"), int),
    "weekend": tuple[Weekday, ...],
    "closed": Annotated[OwnDays, BeforeValidator(_closed)],
    "listed": tuple[tuple[date, str], ...],
}
"""What each parameter must be; conventions come from flags alone."""


def read_parameters(file: Path) -> dict[str, Any]:
    """Return the parameters of a JSON object, by the names of `Wanted`.

    Raises:
        UsageError: the file is no JSON object, names something unknown, or a value is not what it should be.
    """
    try:
        given = json.loads(file.read_text(encoding="utf-8"), parse_float=str)
    except (OSError, ValueError) as error:
        raise UsageError(f"{str(file)!r} cannot be read as JSON: {error}") from error
    if not isinstance(given, dict):
        raise UsageError(f"{str(file)!r} holds no JSON object")
    is_body = any(name in given for name in ("paymentArrangementType", "paymentFrequency", "firstPaymentDate"))
    found = _in_our_names(given, str(file))
    if is_body:
        found = _in_major_units(found, str(file))
    unused = UNUSED.get(str(given.get("paymentArrangementType")), set()) | UNUSED.get(
        str(given.get("scheduleType")), set()
    )
    return {name: _fitting(name, value, str(file)) for name, value in found.items() if name not in unused}


def _in_our_names(given: Mapping[str, Any], file: str) -> dict[str, Any]:
    known = [field.name for field in fields(Wanted) if field.name in _KINDS]
    found: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or name in SAYS_NOTHING or name in {"paymentArrangementType", "scheduleType"}:
            continue
        ours = PROVIDER_NAMES.get(name, name)
        if ours not in known:
            raise UsageError(f"{file!r} names {name!r}, which is no plan parameter; known are {', '.join(known)}")
        found[ours] = value
    return found


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
