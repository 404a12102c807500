"""PayIQ's changes of plans: create, revise and delete. That PUT creates is read from the house pattern."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.payiq.book import Book, EnvelopeError, integer_of, moment_of
from sandbox.site import Site
from sandbox.world import AccountKey, Row

LAST_DAY = 31
NULLABLE = {"datetostart", "originalplanid"}
"""Fields of a plan's body whose documented type has a question mark."""
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)")
MOST_PAYMENTS = 600


@dataclass(slots=True)
class Plans:
    """The calls that change plans; limits come from the account's setup."""

    site: Site
    book: Book

    def create(self, asked: Row, _role: str) -> object:
        """Make a plan on the accounts named; they then carry its id."""
        key = self._key(asked)
        fields = self._fields(asked, key)
        if any(account.get("ExistingPaymentPlanID") for account in self.book.accounts([key])):
            raise EnvelopeError("Validation", "the account is in a payment plan already")
        with self.site.world.changing() as world:
            number = 1 + max(world.payiq.plans, default=0)
            plan = {"PaymentPlanID": number, "CreateDate": self._now(), "PaymentCount": 0, "CanEdit": True} | fields
            world.payiq.plans[number] = plan
            for account in self.book.accounts([key]):
                account |= {"ExistingPaymentPlanID": number, "UpdateDate": self._now()}
        return plan

    def revise(self, asked: Row, _role: str) -> object:
        """Change an existing plan."""
        plan = self.book.plan(asked)
        fields = self._fields(asked, self._key(asked))
        with self.site.world.changing():
            plan |= fields
        return plan

    def delete(self, asked: Row, _role: str) -> object:
        """End a plan and answer with it; its accounts no longer carry its id and it is no longer found."""
        plan = self.book.plan(asked)
        with self.site.world.changing() as world:
            for account in self.book.accounts(self.book.keys({"customertoken": asked.get("customertoken")})):
                if account.get("ExistingPaymentPlanID") == plan["PaymentPlanID"]:
                    account |= {"ExistingPaymentPlanID": None, "UpdateDate": self._now()}
            del world.payiq.plans[plan["PaymentPlanID"]]
        return plan

    def _key(self, asked: Row) -> AccountKey:
        keys = self.book.keys(asked)
        if len(keys) > 1:
            raise EnvelopeError("Validation", "ReferenceNumber and OtherData must name one account")
        return keys[0]

    def _fields(self, asked: Row, key: AccountKey) -> Row:
        """Return the plan's fields from a create or revise body, checked."""
        nulls = [name for name, value in asked.items() if value is None and name not in NULLABLE]
        if nulls:
            raise EnvelopeError("Validation", f"{nulls[0]} must not be null")
        if asked.get("datetostart") and not DATE_TIME.fullmatch(str(asked["datetostart"])):
            raise EnvelopeError("Validation", "DateToStart must be a date-time")
        if not asked.get("paymentname"):
            raise EnvelopeError("Validation", "PaymentName is required")
        day, day_types = integer_of(asked, "daytopay"), self.site.assumed.payiq_day_types
        if asked.get("daytype") not in day_types or day is None or not 1 <= day <= LAST_DAY:
            raise EnvelopeError(
                "Validation", f"DayType must be one of {', '.join(day_types)}, DayToPay a day of the month"
            )
        start = moment_of(asked, "datetostart")
        setup = self.site.world.payiq.setups[key]
        amounts = _amounts(asked, Decimal(setup.get("InitialBalance") or 0))
        if self.site.assumed.payiq_enforce_policy:
            self._enforce(setup, asked, amounts)
        accounts = self.book.accounts([key])
        return {
            "PaymentName": asked["paymentname"],
            "PaymentPlanType": setup.get("PlanType"),
            "BillingAccounts": accounts,
            "CurrencySymbol": accounts[0].get("CurrencySymbol") if accounts else None,
            "DayType": asked["daytype"],
            "DayToPay": day,
            "DateToStart": asked.get("datetostart") if start else None,
            "InitialBalance": setup.get("InitialBalance"),
            "PaymentAmount": amounts[0],
            "Payments": asked.get("payments"),
        }

    def _enforce(self, setup: Row, asked: Row, amounts: list[Decimal]) -> None:
        """Refuse what the setup does not allow: the meaning of its limits is assumed."""
        if any(account.get("Stopped") for account in setup.get("Accounts") or []):
            raise EnvelopeError("Validation", "payments on the account are stopped")
        on_due_date = asked["daytype"] == self.site.assumed.payiq_day_types[0]
        if setup.get("EnforceDueDate") and not on_due_date:
            raise EnvelopeError("Validation", "the plan must fire on the due day")
        if on_due_date and not (setup.get("AllowDueDay") or setup.get("EnforceDueDate")):
            raise EnvelopeError("Validation", "the plan may not fire on the due day")
        most = setup.get("MaximumTerm")
        if most and len(amounts) > most:
            raise EnvelopeError("Validation", f"more than {most} payments")
        balance = setup.get("InitialBalance") or 0
        for tier in setup.get("Tiers") or []:
            if not tier["Minimum"] <= balance <= tier["Maximum"]:
                continue
            if tier.get("PaymentCount") and len(amounts) > tier["PaymentCount"]:
                raise EnvelopeError("Validation", f"more than {tier['PaymentCount']} payments for this balance")
            if tier.get("RestrictedMinimum") and min(amounts[:-1] or amounts) < tier["RestrictedMinimum"]:
                raise EnvelopeError("Validation", f"a payment below {tier['RestrictedMinimum']}")

    def _now(self) -> str:
        return self.site.world.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _amounts(asked: Row, balance: Decimal) -> list[Decimal]:
    """Return the amounts of a plan's payments: its own, or equal ones until the balance is used up."""
    own: Any = asked.get("payments")
    if own:
        return [_own_amount(item) for item in own]
    stated = asked.get("paymentamount")
    each = Decimal(stated) if isinstance(stated, int | Decimal) and not isinstance(stated, bool) else Decimal(0)
    if each <= 0:
        raise EnvelopeError("Validation", "PaymentAmount or Payments is required")
    if balance <= 0:
        return [each]
    # Decimals divide towards zero, so no trick with signs rounds up.
    full, rest = divmod(balance, each)
    if full + bool(rest) > MOST_PAYMENTS:
        raise EnvelopeError("Validation", f"more than {MOST_PAYMENTS} payments")
    return [each] * int(full) + ([rest] if rest else [])


def _own_amount(item: Any) -> Decimal:
    if not isinstance(item, dict) or not _is_number(item.get("Amount")) or item["Amount"] <= 0:
        raise EnvelopeError("Validation", "Payments: Amount must be a positive number")
    try:
        date.fromisoformat(str(item.get("Date"))[:10])
    except ValueError:
        raise EnvelopeError("Validation", "Payments: Date must be a date") from None
    return Decimal(item["Amount"])


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
