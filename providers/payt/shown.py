"""What Payt's answers say of plans, invoices and cases, as far as a change needs it.

Amounts are text with two decimals. A due date is a plain date; a date-time is the day it names in
the administration's time zone.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import UNSET, UnsetType

from providers.checking import day_of, moment_of
from providers.errors import Unreadable
from providers.payt.reading import NAME
from providers.payt.rows import CreditCase, Flag, Invoice, Plan, Text
from providers.writing import PlanNow, Term

_AMOUNT = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,10})?")
_PLAIN_DAY = len("2026-01-31")


class Bill(Invoice, kw_only=True, gc=False):
    """An invoice with the names a create may use for it."""

    invoice_identifier: Text = UNSET
    debtor_number: Text = UNSET


class Case(CreditCase, kw_only=True, gc=False):
    """A credit case; an older form of it has only `case_number`."""

    case_number: Text = UNSET


@dataclass(frozen=True, slots=True)
class Covered:
    """One invoice or case that a new plan shall cover. `open_amount` in the administration's currency, null if unknown."""

    kind: str
    row_id: str
    debtor_id: str
    debtor_number: str
    case_id: str
    plan_id: str
    open_amount: Decimal | None
    is_foreign: bool


def covered(row: Bill | Case, currency: str | None) -> Covered:
    """Return an invoice or case as a new plan sees it."""
    is_bill = isinstance(row, Bill)
    foreign = bool(currency and row.currency_code and row.currency_code != currency)
    shown = (row.book_open_amount if isinstance(row, Bill) else UNSET) if foreign else row.open_amount
    return Covered(
        kind="invoice" if is_bill else "credit case",
        row_id=str(row.id),
        debtor_id=_id(row.debtor_id),
        debtor_number=_text(row.debtor_number) if isinstance(row, Bill) else "",
        case_id=_id(row.active_credit_case_id) if isinstance(row, Bill) else "",
        plan_id=_id(row.active_payment_plan_id),
        open_amount=amount(shown) if isinstance(shown, str) else None,
        is_foreign=foreign,
    )


def plan_now(plan: Plan, zone: str | None) -> PlanNow:
    """Return the plan in our words, its terms by due date."""
    terms = plan.payment_terms or []
    return PlanNow(
        plan_id=str(plan.id),
        owner=_id(plan.debtor_id),
        status=status(plan),
        created_at=plan.created_at,
        terms=in_order(Term(due_day(term.due_date, zone), amount(term.total_amount)) for term in terms),
    )


def status(plan: Plan) -> str:
    """Return the plan's state, which Payt spreads over flags and timestamps."""
    if _set(plan.rejected_at):
        return "REJECTED"
    if plan.active is True:
        return "ACTIVE"
    if _set(plan.deactivated_at):
        return "DEACTIVATED"
    if _set(plan.approved_at):
        terms = plan.payment_terms or []
        paid = bool(terms) and all(_set(term.payment_date) or _is_nothing(term.amount_due) for term in terms)
        return "FINISHED" if paid else "UNKNOWN"
    return "PROPOSED" if _set(plan.proposed_at) else "UNKNOWN"


def reached(plan: Plan, operation: str) -> tuple[bool, str]:
    """Return whether the plan is as the operation would leave it, and if not, why it can no longer be."""
    now = status(plan)
    if operation == "deactivate":
        gone = now in {"REJECTED", "FINISHED"}
        return now == "DEACTIVATED", f"the plan is {now.lower()} and cannot be deactivated" if gone else ""
    if operation == "reject":
        gone = now in {"ACTIVE", "DEACTIVATED", "FINISHED"} or (now != "REJECTED" and _set(plan.approved_at))
        return now == "REJECTED", f"the plan was approved meanwhile; it is {now.lower()}" if gone else ""
    gone = now in {"REJECTED", "DEACTIVATED"}
    there = now == "ACTIVE" or _set(plan.approved_at)
    return there and not gone, f"the plan is {now.lower()} and cannot be approved" if gone else ""


def in_order(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Return the terms by due date and amount."""
    return tuple(sorted(terms, key=lambda term: (term.due_date, term.amount)))


def same_terms(mine: Sequence[Term], theirs: Sequence[Term]) -> bool:
    """Both list the same days and amounts."""
    return in_order(mine) == in_order(theirs)


def amount(text: str) -> Decimal:
    """Return an amount as Payt writes one.

    Raises:
        Unreadable: it is none.
    """
    if not _AMOUNT.fullmatch(text):
        raise Unreadable("an amount is not a decimal text", provider=NAME)
    return Decimal(text)


def due_day(text: str, zone: str | None) -> date:
    """Return the day that a date or date-time names in the administration's zone; as written if it has no zone.

    Raises:
        Unreadable: it names none.
    """
    written = day_of(text)
    if written is None:
        raise Unreadable("a due date is neither a date nor a date-time", provider=NAME)
    if len(text) == _PLAIN_DAY or zone is None:
        return written
    try:
        moment = moment_of(text)
        return written if moment is None or moment.tzinfo is None else moment.astimezone(ZoneInfo(zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        return written


def _set(value: Text | Flag) -> bool:
    return isinstance(value, str) and bool(value)


def _id(value: str | int | UnsetType | None) -> str:
    return "" if value is UNSET or value is None else str(value)


def _text(value: Text) -> str:
    return value if isinstance(value, str) else ""


def _is_nothing(text: str | None) -> bool:
    return text is not None and amount(text) == 0
