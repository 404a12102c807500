"""The calls that change payment plans at PayIQ, made from what somebody wrote. Sends nothing.

The customer's token is a secret: an order holds the account's key in its place, and the token is put
back while the request is built. A payment account or its token stands in the order as it was written:
whoever keeps the order keeps it private, and no longer than until the change has ended.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from providers.base import AccountRef
from providers.checking import (
    Field,
    anything,
    date_time,
    day_of,
    entries,
    faults,
    flag,
    impossible,
    is_whole,
    moment,
    money,
    refuse,
    text,
    whole,
    word,
    written,
)
from providers.payiq.reading import NAME
from providers.payiq.rows import account_key
from providers.writing import Impossible, Order, Term, Wanted

OPERATIONS = ("create", "update", "deactivate")
TOKEN, PLAN = "CustomerToken", "PaymentPlanID"
NAMING = (TOKEN, "ReferenceNumber", "OtherData")
NAMED: Mapping[str, Field] = dict.fromkeys(NAMING, Field(text(least=0)))
"""The fields that name an account."""
PLAN_FIELD = Field(whole(1))
_LONGEST, _LONGEST_TOKEN = 100, 2048


@dataclass(frozen=True, slots=True)
class Words:
    """The provider's words that no page shows."""

    path: str
    create: str
    due_date: str
    day_of_month: str
    date: str
    amount: str
    ended: str

    def fields(self) -> dict[str, Field]:
        """Return the documented fields of a create."""
        entry = {self.date: Field(moment, required=True, spelt=date_time), self.amount: Field(money(), required=True)}
        return {
            TOKEN: Field(text(), required=True),
            "PaymentName": Field(text(), required=True),
            "DayType": Field(word(self.due_date, self.day_of_month), required=True),
            "DayToPay": Field(whole(1, 31), required=True),
            "DateToStart": Field(moment, nullable=True, spelt=date_time),
            "PaymentAmount": Field(money()),
            "MonthlyAmount": Field(money()),
            "Payments": entries(entry),
            "ReferenceNumber": Field(text(_LONGEST, least=0)),
            "OtherData": Field(text(_LONGEST, least=0)),
            "PaymentAccount": Field(anything),
            "PaymentAccountToken": Field(text(_LONGEST_TOKEN)),
            "SelectedAccounts": Field(anything),
            "OriginalPlanID": Field(whole(1), nullable=True),
            "FeeWaived": Field(flag),
            "PPD": Field(flag),
        }

    def terms(self, body: Mapping[str, Any]) -> tuple[Term, ...]:
        """Return the terms that the body itself lists."""
        return tuple(Term(_day(entry[self.date]), Decimal(entry[self.amount])) for entry in body.get("Payments") or ())


@dataclass(frozen=True, slots=True)
class Accounts:
    """The configured accounts, by customer token or by the key that stands for it."""

    refs: Sequence[AccountRef]

    def find(self, named: Mapping[str, Any]) -> AccountRef:
        """Return the one account that a body means.

        Raises:
            Impossible: none of the configured ones, or more than one.
        """
        token = named.get(TOKEN)
        found = [ref for ref in self.refs if _means(ref, token)]
        if not found:
            raise Impossible(
                "CustomerToken is not in accounts_file",
                provider=NAME,
                next_step="Add the account's line to accounts_file: without it the next run could not see the plan.",
            )
        reference, other = named.get("ReferenceNumber"), named.get("OtherData")
        found = [ref for ref in found if not reference or ref.reference_number == reference]
        found = [ref for ref in found if not other or ref.other_data == other]
        if not found:
            message = "ReferenceNumber or OtherData is not one of this customer's in accounts_file"
            raise Impossible(message, provider=NAME)
        if len(found) > 1:
            message = f"the customer has {len(found)} accounts in accounts_file"
            raise Impossible(message, provider=NAME, next_step="Name one with ReferenceNumber and OtherData.")
        return found[0]

    def token(self, key: str) -> str:
        """Return the token that belongs to a key.

        Raises:
            Impossible: no configured account has it.
        """
        for ref in self.refs:
            if account_key(ref.customer_token) == key:
                return ref.customer_token
        raise Impossible("the account of this change is no longer in accounts_file", provider=NAME)

    def without_secret(self, wanted: Wanted) -> Wanted:
        """Return the change with the account's key in place of the customer's token; an unknown token is left out."""
        token = wanted.body.get(TOKEN)
        if token is None:
            return wanted
        known = [ref for ref in self.refs if _means(ref, token)]
        if not known:
            self.find(wanted.body)
        return replace(wanted, body={**wanted.body, TOKEN: account_key(known[0].customer_token)})


def _means(ref: AccountRef, token: object) -> bool:
    return token == ref.customer_token or token == account_key(ref.customer_token)


def named(ref: AccountRef) -> dict[str, str]:
    """Return how a body names an account, without its secret; empty parts are left out."""
    told = {
        TOKEN: account_key(ref.customer_token),
        "ReferenceNumber": ref.reference_number,
        "OtherData": ref.other_data,
    }
    return {name: value for name, value in told.items() if value}


def order_of(wanted: Wanted, accounts: Accounts, words: Words) -> Order:
    """Return the call that makes the change.

    Raises:
        Impossible: there is no such call, the body is not what is documented, or the account is not configured.
    """
    if wanted.operation not in OPERATIONS:
        step = "A plan at PayIQ is in force from its creation; create, update or deactivate it."
        raise impossible(NAME, wanted.operation, step)
    if wanted.operation == "deactivate":
        return _delete(wanted, accounts, words)
    return _put(wanted, accounts, words)


def _put(wanted: Wanted, accounts: Accounts, words: Words) -> Order:
    is_update = wanted.operation == "update"
    fields = words.fields()
    if is_update:
        fields[PLAN] = PLAN_FIELD
    refuse(NAME, [*faults(wanted.body, fields), *_more(wanted.body, wanted.operation)])
    ref = accounts.find(wanted.body)
    body = {**written(wanted.body, fields), TOKEN: account_key(ref.customer_token)}
    plan_id = None
    if is_update:
        plan_id = plan_number(wanted)
        body[PLAN] = int(plan_id)
    return Order(
        provider=NAME,
        operation=wanted.operation,
        tenant_id=wanted.tenant_id,
        plan_id=plan_id,
        owner=account_key(ref.customer_token),
        method="POST" if is_update else words.create,
        path=words.path,
        route=words.path,
        body=body,
        terms=words.terms(body),
    )


def _more(body: Mapping[str, Any], operation: str) -> Iterator[str]:
    """Yield what is wrong beyond single fields."""
    if body.get("PaymentAmount") is None and not body.get("Payments"):
        yield "PaymentAmount or Payments is needed"
    if operation == "create" and PLAN in body:
        yield f"{PLAN} belongs to an update; a new plan gets its own"


def _delete(wanted: Wanted, accounts: Accounts, words: Words) -> Order:
    refuse(NAME, list(faults(wanted.body, NAMED)))
    plan_id = plan_number(wanted)
    if not wanted.body.get(TOKEN):
        raise Impossible("the plan's account is not named", provider=NAME, next_step="Locate the plan first.")
    key = account_key(accounts.find(wanted.body).customer_token)
    return Order(
        provider=NAME,
        operation=wanted.operation,
        tenant_id=wanted.tenant_id,
        plan_id=plan_id,
        owner=key,
        method="DELETE",
        path=words.path,
        route=words.path,
        query=(("customerToken", key), ("paymentPlanID", plan_id)),
        media="",
    )


def plan_number(wanted: Wanted) -> str:
    """Return the plan's number, from the command, the body, or both if they agree.

    Raises:
        Impossible: neither names one, or they differ.
    """
    stated = wanted.body.get(PLAN)
    given = wanted.plan_id or ("" if stated is None else str(stated))
    if not (given.isascii() and given.isdecimal()) or int(given) == 0:
        raise Impossible(f"the plan's id {given[:40]!r} is not a number", provider=NAME)
    if is_whole(stated) and int(given) != stated:
        raise Impossible(f"{PLAN} in the body is not the plan asked for", provider=NAME)
    return str(int(given))


def _day(value: str) -> Any:
    return day_of(value)
