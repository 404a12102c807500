"""What Totality's rows say of loans, plans and scheduled payments, as far as a change needs it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from msgspec import UNSET

from providers.checking import day_of
from providers.errors import Unreadable
from providers.totality.orders import CREATE, UPDATE, Names, major
from providers.totality.reading import NAME
from providers.totality.rows import Plan, ScheduledPayment
from providers.writing import PlanNow, Term

_LONGEST = 60
SETTABLE = frozenset((*CREATE, *UPDATE))


def plan_now(plan: Plan, scheduled: Iterable[ScheduledPayment], names: Names) -> PlanNow:
    """Return the plan in our words; its terms are its scheduled payments, in major units."""
    return PlanNow(
        plan_id=plan.uuid,
        owner=plan.loan_uuid,
        status="ACTIVE" if plan.is_active else "DEACTIVATED",
        created_at=plan.created_at if isinstance(plan.created_at, str) else "",
        terms=terms_of(one for one in scheduled if one.payment_plan_uuid == plan.uuid),
        fields=settings(plan, names),
    )


def terms_of(scheduled: Iterable[ScheduledPayment]) -> tuple[Term, ...]:
    """Scheduled payments as terms, by day and amount."""
    terms = (Term(_day(one), major(one.amount)) for one in scheduled)
    return tuple(sorted(terms, key=lambda term: (term.due_date, term.amount)))


def settings(plan: Plan, names: Names) -> dict[str, Any]:
    """Return what a create or an update may set, by the provider's names; what the row does not show is left out."""
    shown: dict[str, Any] = {}
    for item in msgspec.structs.fields(Plan):
        value = getattr(plan, item.name)
        if item.encode_name in SETTABLE and value is not UNSET:
            shown[names.of(item.encode_name)] = value
    schedule = names.of("schedule")
    if isinstance(shown.get(schedule), list):
        shown[schedule] = [{names.day: entry.date, names.cents: entry.amount} for entry in shown[schedule]]
    return shown


def differing(body: Mapping[str, Any], shown: Mapping[str, Any]) -> list[str]:
    """Return the fields of the body that the plan does not have as asked for; null is the same as absent."""
    return [name for name, value in body.items() if _spelt(value) != _spelt(shown.get(name))]


def is_processed(one: ScheduledPayment) -> bool:
    """Tell whether a payment was made on it; such terms stay whatever happens to their plan."""
    return isinstance(one.payment_uuid, str) and bool(one.payment_uuid)


def _spelt(value: Any) -> Any:
    """Return a value as it is compared: a date-time is its day."""
    if isinstance(value, Mapping):
        return {name: _spelt(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_spelt(item) for item in value]
    return day_of(value) or value if isinstance(value, str) else value


def misread(uuid: str, field: str, value: str) -> str:
    """Return the complaint that a scheduled payment cannot be read, with the field and its value."""
    return f"scheduled payment {uuid} cannot be read, its {field} is {value[:_LONGEST]}"


def _day(one: ScheduledPayment) -> date:
    found = day_of(one.payment_date)
    if found is None:
        raise Unreadable(misread(one.uuid, "date", repr(one.payment_date)), provider=NAME)
    return found
