"""PayIQ's accounts and plans, found by what a caller names them with; and the reading of parameters."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.site import Site
from sandbox.world import AccountKey, Row

ERROR_CODES = (
    "None",
    "SystemError",
    "Validation",
    "DataNotFound",
    "DuplicatePayment",
    "PreAuthError",
    "Declined",
    "ServiceUnavailable",
    "UserLocked",
)
LONGEST = 256


class EnvelopeError(Exception):
    """An error that goes out in the envelope; `status` None takes the assumed one."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.number = ERROR_CODES.index(code)
        self.status = status


@dataclass(slots=True)
class Book:
    """Look-ups over the accounts of a world; an index by customer is kept while their number stays."""

    site: Site
    customers: dict[str, list[AccountKey]] = field(default_factory=dict)
    indexed: tuple[int, int] = (-1, -1)

    def keys(self, asked: Row, *, any_customer: bool = False) -> list[AccountKey]:
        """Return the accounts a customer token and, where given, reference and other data name; never none."""
        token = asked.get("customertoken")
        if not token and not any_customer:
            raise EnvelopeError("Validation", "CustomerToken is required")
        reference, other = asked.get("referencenumber"), asked.get("otherdata")
        if any(len(str(text)) > LONGEST for text in (reference, other) if text):
            raise EnvelopeError("Validation", "ReferenceNumber or OtherData is too long")
        candidates = self._of_customer(str(token)) if token else list(self.site.world.payiq.setups)
        found = [
            key
            for key in candidates
            if (not reference or key[1] == str(reference)) and (not other or key[2] == str(other))
        ]
        if not found:
            raise EnvelopeError("DataNotFound", "no account for this CustomerToken, ReferenceNumber and OtherData")
        return found

    def setup(self, asked: Row) -> Row:
        """Return the setup of one account, or of a customer's only or first one with all their accounts."""
        setups = [self.site.world.payiq.setups[key] for key in self.keys(asked)]
        if len(setups) == 1:
            return setups[0]
        return setups[0] | {"Accounts": [account for setup in setups for account in setup["Accounts"]]}

    def plan(self, asked: Row) -> Row:
        """Return a plan that one of the customer's accounts is in."""
        number = integer_of(asked, "paymentplanid")
        if number is None:
            raise EnvelopeError("Validation", "paymentPlanID is required")
        keys = self.keys({"customertoken": asked.get("customertoken")})
        row = self.site.world.payiq.plans.get(number)
        if row is None or not self._owns(keys, row):
            raise EnvelopeError("DataNotFound", "no such payment plan of this customer")
        return row

    def accounts(self, keys: list[AccountKey]) -> list[Row]:
        """Return the billing accounts in the setups of these keys."""
        return [account for key in keys for account in self.site.world.payiq.setups[key].get("Accounts") or []]

    def _owns(self, keys: list[AccountKey], plan: Row) -> bool:
        mine = self.accounts(keys)
        named = {account.get("AccountID") for account in plan.get("BillingAccounts") or []}
        return any(
            account.get("ExistingPaymentPlanID") == plan["PaymentPlanID"] or account.get("AccountID") in named
            for account in mine
        )

    def _of_customer(self, token: str) -> list[AccountKey]:
        setups = self.site.world.payiq.setups
        state = (len(setups), self.site.world.version)
        if state != self.indexed:
            self.customers = {}
            for key in setups:
                self.customers.setdefault(key[0], []).append(key)
            self.indexed = state
        return [key for key in self.customers.get(token, []) if key in setups]


def by_name(fields: Row) -> Row:
    """Return fields by lower-case name."""
    return {str(name).lower(): value for name, value in fields.items()}


def integer_of(asked: Row, name: str) -> int | None:
    """Return an integer parameter, None where it is missing."""
    value = asked.get(name)
    if value is None or value == "":
        return None
    try:
        return int(str(value))
    except ValueError:
        raise EnvelopeError("Validation", f"{name} is not an integer") from None


def decimal_of(asked: Row, name: str) -> Decimal | None:
    """Return a decimal parameter, None where it is missing."""
    value = asked.get(name)
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise EnvelopeError("Validation", f"{name} is not a number") from None


def moment_of(asked: Row, *names: str) -> datetime | None:
    """Return the first of the named date-times that is there, as an aware instant."""
    value: Any = next((asked[name] for name in names if asked.get(name)), None)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value).replace(" ", "+"))
    except ValueError:
        raise EnvelopeError("Validation", f"{names[0]} is not a date-time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
