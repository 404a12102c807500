"""The scheduled payments Totality makes for a new plan, from the body of its creation.

Written from the provider's guide and plan page. Where they are silent (order of
shifts, place of the remainder, no cascade) the table of assumptions speaks.
"""

import calendar
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count, islice
from typing import TypeAlias

from sandbox.assumed import Assumed
from sandbox.totality.lists import InvalidError
from sandbox.world import Row

Schedule: TypeAlias = list[tuple[date, int]]

FREQUENCIES = ("days", "weekly", "bi-weekly", "semi-monthly", "monthly")
TYPES = ("Payment Amount Based", "Payment Number Based", "Custom Payment Schedule")
SCHEDULE_TYPES = ("Day-Based", "Weekday-Based")
WEEKDAYS = tuple(calendar.day_name)
LAST_WEEK = 5
MOST_PAYMENTS = 1200


def schedule(body: Row, *, total: int, holidays: set[date], assumed: Assumed) -> Schedule:
    """Return date and cents of every payment of a plan over `total` cents; the dates are shifted."""
    if body["paymentArrangementType"] == "Custom Payment Schedule":
        return [(date.fromisoformat(item["date"]), item["amount"]) for item in body["schedule"]]
    amounts = _amounts(body, total, assumed)
    shifts = body["movePaymentOnWeekendDays"], body["movePaymentOnHolidayDays"]
    days = islice(_nominal(body), len(amounts))
    return [(_shifted(day, shifts, holidays, assumed), cents) for day, cents in zip(days, amounts, strict=True)]


def _amounts(body: Row, total: int, assumed: Assumed) -> list[int]:
    if body["paymentArrangementType"] == "Payment Amount Based":
        each = body["paymentAmount"]
        full, rest = divmod(total, each)
        return [each] * full + ([rest] if rest else [])
    each, rest = divmod(total, body["numberOfPayments"])
    amounts = [each] * body["numberOfPayments"]
    amounts[-1 if assumed.totality_remainder == "last" else 0] += rest
    return amounts


def _nominal(body: Row) -> Iterator[date]:
    """Yield the dates before any shift, each computed from the first date, without end."""
    first = date.fromisoformat(body["firstPaymentDate"])
    frequency = body["paymentFrequency"]
    if frequency == "days":
        return (first + timedelta(days=body["daysInPeriod"] * step) for step in count())
    if frequency in {"weekly", "bi-weekly"}:
        period = 7 if frequency == "weekly" else 14
        base = first + timedelta(days=(_weekday(body, "weekdayOfFirstPayment", first) - first.weekday()) % 7)
        return (base + timedelta(days=period * step) for step in count())
    return _monthly(first, _patterns(body, first))


def _monthly(first: date, patterns: list[Callable[[int, int], date]]) -> Iterator[date]:
    for month in count(first.year * 12 + first.month - 1):
        for day in sorted(pattern(month // 12, month % 12 + 1) for pattern in patterns):
            if day >= first:
                yield day


def _patterns(body: Row, first: date) -> list[Callable[[int, int], date]]:
    """Return the rules that give the one or two dates of a month."""
    twice = body["paymentFrequency"] == "semi-monthly"
    if body.get("scheduleType") == "Weekday-Based":
        rules = [("weekOfFirstPayment", "weekdayOfFirstPayment")]
        rules += [("weekOfSecondPayment", "weekdayOfSecondPayment")] if twice else []
        return [_by_week(body[week], _weekday(body, name, first)) for week, name in rules]
    days = [body.get("firstPaymentDay") or first.day]
    return [_by_day(day) for day in ([*days, body["secondPaymentDay"]] if twice else days)]


def _by_day(day: int) -> Callable[[int, int], date]:
    return lambda year, month: date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _by_week(week: int, weekday: int) -> Callable[[int, int], date]:
    def find(year: int, month: int) -> date:
        days = [
            date(year, month, day)
            for day in range(1, calendar.monthrange(year, month)[1] + 1)
            if date(year, month, day).weekday() == weekday
        ]
        return days[-1] if week == LAST_WEEK else days[week - 1]

    return find


def _weekday(body: Row, name: str, first: date) -> int:
    text = body.get(name)
    return first.weekday() if text is None else WEEKDAYS.index(text)


def _shifted(day: date, shifts: tuple[int, int], holidays: set[date], assumed: Assumed) -> date:
    steps = [(shifts[0], _on_weekend), (shifts[1], holidays.__contains__)]
    if assumed.totality_shift_order == "holiday_first":
        steps.reverse()
    for move, falls in steps:
        if falls(day):
            day += timedelta(days=move)
    return day


def _on_weekend(day: date) -> bool:
    return day.weekday() >= calendar.SATURDAY


def validate(body: Row, *, today: date, balance: int) -> None:
    """Refuse a body that breaks a rule of the plan page, naming the field."""
    for check in (_check_enums, _check_numbers, _check_dates, _check_pattern):
        check(body, today)
    if body.get("isPartialPaymentPlan") and body["totalPlanAmount"] > balance:
        raise InvalidError("totalPlanAmount", "is more than the loan's balance")


def _check_enums(body: Row, _today: date) -> None:
    required = {"paymentArrangementType": TYPES, "paymentFrequency": FREQUENCIES}
    optional = {"scheduleType": SCHEDULE_TYPES, "weekdayOfFirstPayment": WEEKDAYS, "weekdayOfSecondPayment": WEEKDAYS}
    for name, values in (required | optional).items():
        if body.get(name) not in values and (name in required or body.get(name) is not None):
            raise InvalidError(name, f"must be one of {', '.join(values)}")


def _check_numbers(body: Row, _today: date) -> None:
    for name in ("movePaymentOnHolidayDays", "movePaymentOnWeekendDays"):
        if not _is_int(body.get(name)):
            raise InvalidError(name, "must be an integer")
    needed = {
        "daysInPeriod": body["paymentFrequency"] == "days",
        "numberOfPayments": body["paymentArrangementType"] == "Payment Number Based",
        "paymentAmount": body["paymentArrangementType"] == "Payment Amount Based",
        "totalPlanAmount": bool(body.get("isPartialPaymentPlan")),
    }
    for name, is_needed in needed.items():
        value = body.get(name)
        if (is_needed or value is not None) and not _is_positive(value):
            raise InvalidError(name, "must be a positive integer")
    if (body.get("numberOfPayments") or 1) > MOST_PAYMENTS:
        raise InvalidError("numberOfPayments", f"must be at most {MOST_PAYMENTS}")


def _check_dates(body: Row, today: date) -> None:
    if parsed(body.get("firstPaymentDate"), "firstPaymentDate") < today:
        raise InvalidError("firstPaymentDate", "must be today or later")
    if "schedule" in body and body["schedule"] is None:
        raise InvalidError("schedule", "must not be null")
    if body["paymentArrangementType"] != "Custom Payment Schedule":
        return
    entries = body.get("schedule")
    if not isinstance(entries, list) or not entries:
        raise InvalidError("schedule", "must have one entry per payment")
    for entry in entries:
        if not isinstance(entry, dict) or not _is_int(entry.get("amount")) or entry["amount"] <= 0:
            raise InvalidError("schedule", "amount must be a positive integer")
        parsed(entry.get("date"), "schedule")


def _check_pattern(body: Row, _today: date) -> None:
    weekly = body.get("scheduleType") == "Weekday-Based"
    twice = body["paymentFrequency"] == "semi-monthly"
    limits = {"firstPaymentDay": 31, "secondPaymentDay": 31, "weekOfFirstPayment": 5, "weekOfSecondPayment": 5}
    for name, most in limits.items():
        value = body.get(name)
        if value is not None and not (_is_int(value) and 1 <= value <= most):
            raise InvalidError(name, f"must be between 1 and {most}")
    if body["paymentArrangementType"] == "Custom Payment Schedule":
        return
    needed = []
    if body["paymentFrequency"] in {"monthly", "semi-monthly"} and weekly:
        needed = ["weekOfFirstPayment", "weekdayOfFirstPayment"]
        needed += ["weekOfSecondPayment", "weekdayOfSecondPayment"] if twice else []
    elif twice:
        needed = ["secondPaymentDay"]
    for name in needed:
        if body.get(name) is None:
            raise InvalidError(name, "is needed for this schedule")


def parsed(value: object, name: str) -> date:
    """Return the date a field holds, or refuse it."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise InvalidError(name, "must be a date, YYYY-MM-DD") from None


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
