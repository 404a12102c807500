"""What PayIQ's setup and plan answers say, as far as a change needs it, and what the setup forbids.

The meaning of the setup's limits is assumed: MaximumTerm and a tier's PaymentCount are the most
payments, RestrictedMinimum the least amount of one but the last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from msgspec import UNSET, Raw

from providers.checking import day_of
from providers.payiq.orders import Words
from providers.payiq.rows import Account, Number, Plan, Setup, Text, Tier
from providers.tables import number_text
from providers.writing import PlanNow, Term

PLAIN = ("PaymentName", "DayType", "DayToPay")


class Shown(Plan, kw_only=True, gc=False, rename="pascal"):
    """A plan with its name."""

    payment_name: Text = UNSET


@dataclass(frozen=True, slots=True)
class Policy:
    """What the setup of one account allows; null where it does not say."""

    accounts: Sequence[Account]
    balance: Decimal | None
    most: int | None
    tiers: Sequence[Tier]
    setup: Setup

    def plan_ids(self) -> tuple[str, ...]:
        """Return the plans that its accounts are in, each once."""
        shown = (account.existing_payment_plan_id for account in self.accounts)
        return tuple(sorted({str(one) for one in shown if one not in {UNSET, None, 0, "", "0"}}))

    def symbol(self) -> str | None:
        """Return the sign of the accounts' currency."""
        return next((one.currency_symbol for one in self.accounts if isinstance(one.currency_symbol, str)), None)

    def facts(self) -> dict[str, Any]:
        """Return what a person, or the computation of terms, needs of it, by the provider's names."""
        setup = self.setup
        told = {
            "InitialBalance": self.balance,
            "MaximumTerm": self.most,
            "DayDue": setup.day_due,
            "DefaultMonthlyPayment": number(setup.default_monthly_payment),
            "AllowDueDay": setup.allow_due_day,
            "EnforceDueDate": setup.enforce_due_date,
            "PlanType": setup.plan_type,
            "CurrencySymbol": self.symbol(),
        }
        return {name: value for name, value in told.items() if value is not UNSET and value is not None}


def policy_of(setup: Setup) -> Policy:
    """Return the setup as a policy that can be asked."""
    return Policy(
        accounts=setup.accounts or [],
        balance=number(setup.initial_balance),
        most=setup.maximum_term if isinstance(setup.maximum_term, int) and setup.maximum_term > 0 else None,
        tiers=setup.tiers or [],
        setup=setup,
    )


def objections(policy: Policy, body: Mapping[str, Any], words: Words, *, is_new: bool) -> Iterator[str]:
    """Why the provider would refuse the plan, by its own setup."""
    setup = policy.setup
    if any(account.stopped is True for account in policy.accounts):
        yield "payments on the account are stopped"
    if is_new and policy.plan_ids():
        yield "the account is in a payment plan already"
    on_due_day = body["DayType"] == words.due_date
    if setup.enforce_due_date is True and not on_due_day:
        yield f"the setup enforces the due day: DayType must be {words.due_date}"
    if setup.enforce_due_date is True and isinstance(setup.day_due, int) and body["DayToPay"] != setup.day_due:
        yield f"the setup enforces the due day: DayToPay must be {setup.day_due}"
    if on_due_day and not (setup.allow_due_day is True or setup.enforce_due_date is True):
        yield f"the setup does not allow DayType {words.due_date}"
    amounts = amounts_of(policy, body, words)
    if policy.most is not None and _count(policy, body, words) > policy.most:
        yield f"it would take {_count(policy, body, words)} payments; MaximumTerm is {policy.most}"
    for tier in _applying(policy):
        if isinstance(tier.payment_count, int) and 0 < tier.payment_count < _count(policy, body, words):
            yield f"it would take {_count(policy, body, words)} payments; the tier's PaymentCount is {tier.payment_count}"
        least = number(tier.restricted_minimum)
        if least is not None and min(amounts[:-1] or amounts, default=least) < least:
            yield f"a payment would be below the tier's RestrictedMinimum of {least:f}"


def remarks(policy: Policy, body: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Yield what is worth reading but no reason to refuse."""
    if _contradict(policy.tiers):
        yield "the setup's tiers contradict each other"
    day_due = policy.setup.day_due
    if body["DayType"] == words.due_date and isinstance(day_due, int) and body["DayToPay"] != day_due:
        yield f"the plan fires on the due day of the bill, {day_due}, whatever DayToPay says"
    own = sum((term.amount for term in words.terms(body)), Decimal(0))
    if body.get("Payments") and policy.balance is not None and own != policy.balance:
        yield f"Payments add up to {own:f}, InitialBalance is {policy.balance:f}"
    if body.get("MonthlyAmount") is not None:
        yield "MonthlyAmount is obsolete"


def amounts_of(policy: Policy, body: Mapping[str, Any], words: Words) -> list[Decimal]:
    """Return a first and, if there are more, a last amount that stand for all: the body's own, or equal ones."""
    own = [term.amount for term in words.terms(body)]
    if own or body.get("PaymentAmount") is None:
        return own
    each = Decimal(body["PaymentAmount"])
    if policy.balance is None or policy.balance <= 0:
        return [each]
    return [each, each] if policy.balance > each else [policy.balance]


def _count(policy: Policy, body: Mapping[str, Any], words: Words) -> int:
    """Return how many payments are needed: the body's own number, or as many as the balance needs."""
    own = len(words.terms(body))
    if own or body.get("PaymentAmount") is None:
        return own
    if policy.balance is None or policy.balance <= 0:
        return 1
    full, rest = divmod(policy.balance, Decimal(body["PaymentAmount"]))
    return int(full) + (rest > 0)


def _applying(policy: Policy) -> list[Tier]:
    """Return the tiers whose range holds the balance."""
    if policy.balance is None:
        return []
    ranges = ((tier, number(tier.minimum), number(tier.maximum)) for tier in policy.tiers)
    return [
        tier
        for tier, low, high in ranges
        if (low is None or low <= policy.balance) and (high is None or policy.balance <= high)
    ]


def _contradict(tiers: Sequence[Tier]) -> bool:
    """Tell whether a tier's range is empty, or two of them share more than their bound."""
    ranges = [
        (low, high)
        for tier in tiers
        if (low := number(tier.minimum)) is not None and (high := number(tier.maximum)) is not None
    ]
    if any(low > high for low, high in ranges):
        return True
    ordered = sorted(ranges)
    return any(later[0] < earlier[1] for earlier, later in pairwise(ordered))


def plan_now(plan: Shown, owner: str, words: Words, *, is_named: bool) -> PlanNow:
    """Return the plan in our words. It has no status: its account names it as long as it is in force."""
    fields: dict[str, Any] = {"PaymentName": plan.payment_name, "DayType": plan.day_type, "DayToPay": plan.day_to_pay}
    fields["DateToStart"] = plan.date_to_start
    fields["PaymentAmount"] = number(plan.payment_amount)
    own = [(one.date, number(one.amount)) for one in plan.payments or ()]
    fields["Payments"] = [{words.date: day, words.amount: amount} for day, amount in own] or None
    return PlanNow(
        plan_id=str(plan.payment_plan_id),
        owner=owner,
        status="ACTIVE" if is_named else "UNKNOWN",
        created_at=plan.create_date if isinstance(plan.create_date, str) else "",
        terms=tuple(Term(due, amount) for day, amount in own if amount is not None and (due := _day(day)) is not None),
        fields={name: value for name, value in fields.items() if value is not UNSET and value is not None},
        lists_terms=bool(own),
    )


def differing(body: Mapping[str, Any], shown: Mapping[str, Any], words: Words) -> list[str]:
    """Return the fields that the plan does not have as the body asks for; what the body leaves out is not compared."""
    wrong = [name for name in PLAIN if name in body and body[name] != shown.get(name)]
    if body.get("DateToStart") is not None and _day(body["DateToStart"]) != _day(shown.get("DateToStart")):
        wrong.append("DateToStart")
    own = body.get("Payments")
    if own:
        mine, theirs = (_entries(entries, words) for entries in (own, shown.get("Payments") or ()))
        return wrong if mine == theirs else [*wrong, "Payments"]
    if body.get("PaymentAmount") is not None and shown.get("PaymentAmount") != Decimal(body["PaymentAmount"]):
        wrong.append("PaymentAmount")
    return wrong


def _entries(entries: Sequence[Mapping[str, Any]], words: Words) -> list[tuple[date | None, Decimal]]:
    return sorted(
        ((_day(entry[words.date]), Decimal(entry[words.amount] or 0)) for entry in entries),
        key=lambda entry: (entry[0] or date.min, entry[1]),
    )


def number(value: Number) -> Decimal | None:
    """Return a JSON number with all its digits; None if it is no number."""
    text = number_text(value) if isinstance(value, Raw) else None
    return None if text is None else Decimal(text)


def _day(value: object) -> date | None:
    """Return the day of a date-time as written; 1 January of year 1 means none, fractions may have seven digits."""
    return day_of(value[:10]) if isinstance(value, str) else None
