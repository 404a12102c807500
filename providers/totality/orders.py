"""The calls that change payment plans at Totality, made from a body as written. Sends nothing.

Amounts are whole cents. The rules are those of the provider's plan page and its guide on payment
dates; names the page leaves out are the assumed ones, and can be overridden with them.
"""

import calendar
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from providers.checking import (
    Field,
    day,
    day_of,
    entries,
    faults,
    flag,
    impossible,
    plan_segment,
    refuse,
    text,
    whole,
    word,
    written,
)
from providers.errors import Refused
from providers.http.addresses import segment
from providers.totality.reading import NAME
from providers.writing import Impossible, Order, Term, Wanted

OPERATIONS = ("create", "update", "deactivate")
LOAN = "loanUuid"
CONTACTS = ("Automation", "Email", "Phone", "SMS", "Self-Service Portal", "Webchat", "Other")
BY_AMOUNT, BY_NUMBER, BY_SCHEDULE = "Payment Amount Based", "Payment Number Based", "Custom Payment Schedule"
FREQUENCIES = ("days", "weekly", "bi-weekly", "semi-monthly", "monthly")
BY_DAY, BY_WEEKDAY = "Day-Based", "Weekday-Based"
_LAST_DAY, _LAST_WEEK, _LONGEST_PERIOD = 31, 5, 3660

_CENTS = whole(1)
WEEKDAYS = tuple(calendar.day_name)
_WEEKDAY, _WEEK, _DAY = word(*WEEKDAYS), whole(1, _LAST_WEEK), whole(1, _LAST_DAY)
CREATE: Mapping[str, Field] = {
    "collectorUserId": Field(whole(1), nullable=True),
    "contactMethod": Field(word(*CONTACTS), nullable=True),
    "daysInPeriod": Field(whole(1, _LONGEST_PERIOD), nullable=True),
    "firstPaymentDay": Field(_DAY, nullable=True),
    "firstPaymentDate": Field(day, required=True),
    "isPartialPaymentPlan": Field(flag, nullable=True),
    "movePaymentOnHolidayDays": Field(whole(), required=True),
    "movePaymentOnWeekendDays": Field(whole(), required=True),
    "numberOfPayments": Field(_CENTS, nullable=True),
    "paymentAmount": Field(_CENTS, nullable=True),
    "paymentArrangementType": Field(word(BY_AMOUNT, BY_NUMBER, BY_SCHEDULE), required=True),
    "paymentFrequency": Field(word(*FREQUENCIES), required=True),
    "schedule": entries({}),
    "scheduleType": Field(word(BY_DAY, BY_WEEKDAY), nullable=True),
    "secondPaymentDay": Field(_DAY, nullable=True),
    "totalPlanAmount": Field(_CENTS, nullable=True),
    "weekdayOfFirstPayment": Field(_WEEKDAY, nullable=True),
    "weekdayOfSecondPayment": Field(_WEEKDAY, nullable=True),
    "weekOfFirstPayment": Field(_WEEK, nullable=True),
    "weekOfSecondPayment": Field(_WEEK, nullable=True),
}
"""The twenty fields of a new plan by the names we give them; `schedule` has its entries' names added."""
UPDATE: Mapping[str, Field] = {
    "collectorUserId": Field(whole(1), nullable=True),
    "contactMethod": Field(word(*CONTACTS), nullable=True),
    "isActive": Field(flag),
}


class Names:
    """The provider's names of a plan's fields, the assumed ones where no override says otherwise."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = words
        self.day, self.cents = words["write.schedule_date"], words["write.schedule_amount"]

    def of(self, name: str) -> str:
        """Return the provider's name of this field."""
        return self._words.get(f"payment_plans.{name}", name)

    def ours(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body by our names; a field without one keeps its own."""
        called = {self.of(name): name for name in (*CREATE, *UPDATE)}
        return {called.get(name, name): value for name, value in body.items()}

    def create(self) -> dict[str, Field]:
        """Return the fields of a create by the provider's names."""
        entry = {self.day: Field(day, required=True), self.cents: Field(_CENTS, required=True)}
        fields = {**CREATE, "schedule": entries(entry)}
        return {LOAN: Field(text(200), required=True), **{self.of(name): field for name, field in fields.items()}}

    def update(self) -> dict[str, Field]:
        """Return the fields of an update by the provider's names."""
        return {self.of(name): field for name, field in UPDATE.items()}

    def terms(self, body: Mapping[str, Any]) -> tuple[Term, ...]:
        """Return the terms of the body's own schedule, in major units; none if the provider makes them."""
        mine = self.ours(body)
        if mine.get("paymentArrangementType") != BY_SCHEDULE:
            return ()
        return tuple(Term(_day(entry[self.day]), major(entry[self.cents])) for entry in mine["schedule"])


def order_of(wanted: Wanted, names: Names) -> Order:
    """Return the call that makes the change.

    Raises:
        Impossible: there is no such call, or the body is not what is documented.
    """
    if wanted.operation not in OPERATIONS:
        step = "A plan at Totality is active from its creation; create, update or deactivate it."
        raise impossible(NAME, wanted.operation, step)
    if wanted.operation == "create":
        return _create(wanted, names)
    if wanted.operation == "update":
        return _update(wanted, names)
    if wanted.body:
        raise Impossible("to deactivate a plan takes no body", provider=NAME)
    return _changed(wanted, "DELETE", {})


def _create(wanted: Wanted, names: Names) -> Order:
    refuse(NAME, [*faults(wanted.body, names.create()), *_conditions(wanted.body, names)])
    loan = wanted.body[LOAN]
    try:
        in_path = segment(loan)
    except Refused:
        raise Impossible(f"{LOAN} cannot be put into an address", provider=NAME) from None
    body = {name: value for name, value in written(wanted.body, names.create()).items() if name != LOAN}
    return Order(
        provider=NAME,
        operation=wanted.operation,
        tenant_id=wanted.tenant_id,
        plan_id=None,
        owner=loan,
        method="POST",
        path=f"/loans/{in_path}/payment-plans",
        route="/loans/{loanUuid}/payment-plans",
        body=body,
        terms=names.terms(body),
    )


def _conditions(body: Mapping[str, Any], names: Names) -> Iterator[str]:
    """Yield complaints about fields that must be there because others are."""
    mine = names.ours(body)
    kind, often = mine.get("paymentArrangementType"), mine.get("paymentFrequency")
    needed = {
        "daysInPeriod": (often == "days", "paymentFrequency is days"),
        "numberOfPayments": (kind == BY_NUMBER, f"paymentArrangementType is {BY_NUMBER}"),
        "schedule": (kind == BY_SCHEDULE, f"paymentArrangementType is {BY_SCHEDULE}"),
        "totalPlanAmount": (mine.get("isPartialPaymentPlan") is True, "isPartialPaymentPlan is true"),
        **({} if kind == BY_SCHEDULE else _pattern(often, mine.get("scheduleType"))),
    }
    for name, (is_needed, why) in needed.items():
        if is_needed and mine.get(name) is None:
            yield f"{names.of(name)} is needed because {why}"


def _pattern(often: object, kind: object) -> dict[str, tuple[bool, str]]:
    """Return what a monthly or semi-monthly rule needs; a body with its own schedule needs no rule."""
    twice = often == "semi-monthly"
    if kind == BY_WEEKDAY and (twice or often == "monthly"):
        first = ("weekOfFirstPayment", "weekdayOfFirstPayment")
        second = ("weekOfSecondPayment", "weekdayOfSecondPayment") if twice else ()
        return dict.fromkeys((*first, *second), (True, f"scheduleType is {BY_WEEKDAY}"))
    return {"secondPaymentDay": (twice, "paymentFrequency is semi-monthly")}


def _update(wanted: Wanted, names: Names) -> Order:
    fields = names.update()
    refuse(NAME, list(faults(wanted.body, fields)))
    body = written(wanted.body, fields)
    refuse(NAME, [] if body else [f"one of {', '.join(fields)} is needed"])
    return _changed(wanted, "PATCH", body)


def _changed(wanted: Wanted, method: str, body: Mapping[str, Any]) -> Order:
    plan_id, in_path = plan_segment(NAME, wanted)
    return Order(
        provider=NAME,
        operation=wanted.operation,
        tenant_id=wanted.tenant_id,
        plan_id=plan_id,
        owner="",
        method=method,
        path=f"/payment-plans/{in_path}",
        route="/payment-plans/{paymentPlanUuid}",
        media="json" if body else "",
        body=body,
    )


def major(cents: int) -> Decimal:
    """Return cents in major units."""
    return Decimal(cents).scaleb(-2)


def _day(value: str) -> Any:
    return day_of(value)
