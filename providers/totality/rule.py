"""What the body of a new plan says of its schedule, in the words of a plan's rules."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from providers.totality.orders import BY_AMOUNT, BY_DAY, BY_NUMBER, BY_SCHEDULE, BY_WEEKDAY, WEEKDAYS
from providers.writing import Before, BodyAsRule, Order

FREQUENCIES = {
    "days": "DAYS",
    "weekly": "WEEKLY",
    "bi-weekly": "BIWEEKLY",
    "semi-monthly": "SEMIMONTHLY",
    "monthly": "MONTHLY",
}
BODY = BodyAsRule(
    marks=frozenset({"paymentArrangementType", "paymentFrequency", "firstPaymentDate"}),
    kinds=("paymentArrangementType", "scheduleType"),
    ours={
        "firstPaymentDate": "first_due_date",
        "paymentFrequency": "frequency",
        "numberOfPayments": "term_count",
        "paymentAmount": "amount",
        "totalPlanAmount": "total",
        "firstPaymentDay": "first_day",
        "secondPaymentDay": "second_day",
        "weekdayOfFirstPayment": "first_weekday",
        "weekdayOfSecondPayment": "second_weekday",
        "weekOfFirstPayment": "first_week",
        "weekOfSecondPayment": "second_week",
        "daysInPeriod": "days_in_period",
        "movePaymentOnWeekendDays": "weekend_shift",
        "movePaymentOnHolidayDays": "holiday_shift",
        "schedule": "listed",
    },
    silent=frozenset({"isPartialPaymentPlan", "collectorUserId", "contactMethod"}),
    unused={
        BY_NUMBER: frozenset({"amount", "listed"}),
        BY_AMOUNT: frozenset({"term_count", "listed"}),
        BY_SCHEDULE: frozenset({"amount", "term_count"}),
        BY_DAY: frozenset({"first_weekday", "first_week", "second_weekday", "second_week"}),
        BY_WEEKDAY: frozenset({"first_day", "second_day"}),
    },
    currency="USD",
    places=2,
)


def rule_of(order: Order, before: Before, overrides: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """Return the rule that the body gives; names that were corrected by configuration are followed."""
    del zone  # its days are plain dates

    def told(name: str) -> Any:
        return order.body.get(overrides.get(f"payment_plans.{name}", name))

    rule = {ours: told(name) for name, ours in BODY.ours.items() if ours != "listed"}
    return rule | {
        "arrangement": "AMOUNT" if told("paymentArrangementType") == BY_AMOUNT else "NUMBER",
        "frequency": FREQUENCIES[rule["frequency"]],
        "pattern": "WEEKDAY" if told("scheduleType") == BY_WEEKDAY else "DAY",
        "first_due_date": date.fromisoformat(rule["first_due_date"]),
        "first_weekday": _weekday(rule["first_weekday"]),
        "second_weekday": _weekday(rule["second_weekday"]),
        "amount": None if rule["amount"] is None else Decimal(rule["amount"]).scaleb(-BODY.places),
        "total": before.total,
    }


def _weekday(name: str | None) -> int | None:
    """Return the number of a weekday, Monday first; null where none is named."""
    return WEEKDAYS.index(name) + 1 if name in WEEKDAYS else None
