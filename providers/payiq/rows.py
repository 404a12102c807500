"""What PayIQ's models look like and the columns they become.

Names are PascalCase, ids integers, money JSON decimals read with every digit, timestamps
ISO 8601 with up to seven fractional digits; the first day of year 1 means none. Fields that no
page shows can be renamed through the table of assumptions, as `<entity>.<field>`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from providers.rows import Fault, Shape, never, words
from providers.tables import Kind, Table, columns, is_null, number_text

Id = Annotated[str, Meta(min_length=1, max_length=200)] | int
MaybeId = str | int | UnsetType | None
Text = str | UnsetType | None
Flag = bool | UnsetType | None
Whole = Annotated[int, Meta(ge=-(10**18), le=10**18)] | UnsetType | None
Number = Raw | UnsetType
"""A JSON number, kept as its bytes: no type of number keeps all its digits."""


class Pending(Struct, kw_only=True, gc=False, rename="pascal"):
    """Money on its way, one account's share of it in `account_total`."""

    transaction_id: Id = field(name="TransactionID")
    status: str
    account_total: Raw
    create_date: Text = UNSET
    total: Number = UNSET


class Account(Struct, kw_only=True, gc=False, rename="pascal"):
    """A billing account as the setup shows it."""

    account_id: Id = field(name="AccountID")
    account_number: Text = UNSET
    amount_due: Number = UNSET
    currency_symbol: Text = UNSET
    due_date: Text = UNSET
    existing_payment_plan_id: MaybeId = field(name="ExistingPaymentPlanID", default=UNSET)
    stopped: Flag = UNSET
    update_date: Text = UNSET
    pending_payment: Pending | UnsetType | None = UNSET
    pending_payments: list[Pending] | UnsetType | None = UNSET

    def pending(self) -> list[Pending]:
        """Return the single and the listed pending payments together; the same transaction may be in both."""
        one = [self.pending_payment] if isinstance(self.pending_payment, Pending) else []
        return [*one, *(self.pending_payments or [])]


class Tier(Struct, kw_only=True, gc=False, rename="pascal"):
    """How many payments a balance in a range allows."""

    minimum: Number = UNSET
    maximum: Number = UNSET
    payment_count: Whole = UNSET
    restricted_minimum: Number = UNSET


class Setup(Struct, kw_only=True, gc=False, rename="pascal"):
    """The policy of one customer and account."""

    accounts: list[Account] | UnsetType | None = UNSET
    tiers: list[Tier] | UnsetType | None = UNSET
    allow_due_day: Flag = UNSET
    enforce_due_date: Flag = UNSET
    day_due: Whole = UNSET
    default_monthly_payment: Number = UNSET
    initial_balance: Number = UNSET
    maximum_term: Whole = UNSET
    plan_type: Text = UNSET
    restricted_override_minimum: Number = UNSET


class PlanPayment(Struct, kw_only=True, gc=False, rename="pascal"):
    """One of a plan's own amounts."""

    date: str
    amount: Raw


class PlanAccount(Struct, kw_only=True, gc=False, rename="pascal"):
    """An account a plan fires against."""

    account_id: Id = field(name="AccountID")


class Plan(Struct, kw_only=True, gc=False, rename="pascal"):
    """A payment plan; its terms have to be worked out."""

    payment_plan_id: Id = field(name="PaymentPlanID")
    payment_plan_type: Text = UNSET
    customer_id: MaybeId = field(name="CustomerID", default=UNSET)
    create_date: Text = UNSET
    date_to_start: Text = UNSET
    currency_symbol: Text = UNSET
    day_type: Text = UNSET
    day_to_pay: Whole = UNSET
    initial_balance: Number = UNSET
    payment_amount: Number = UNSET
    monthly_amount: Number = UNSET
    payment_count: Whole = UNSET
    last_payment_amount: Number = UNSET
    last_payment_date: Text = UNSET
    last_evaluated_date: Text = UNSET
    payments: list[PlanPayment] | UnsetType | None = UNSET
    billing_accounts: list[PlanAccount] | UnsetType | None = UNSET


class InvoicePayment(Struct, kw_only=True, gc=False, rename="pascal"):
    """The part of a payment that paid on one bill."""

    reference_number: Text = UNSET
    amount: Number = UNSET
    reversal_amount: Number = UNSET


class Payment(Struct, kw_only=True, gc=False, rename="pascal"):
    """A payment with its parts."""

    id: Id = field(name="ID")
    status: str
    total: Raw
    create_date: Text = UNSET
    payment_date: Text = UNSET
    currency_symbol: Text = UNSET
    external_transaction_id: MaybeId = field(name="ExternalTransactionID", default=UNSET)
    has_multiple_accounts: Flag = UNSET
    customer_token: Text = UNSET
    invoice_payments: list[InvoicePayment] | UnsetType | None = UNSET


class Invoice(Struct, kw_only=True, gc=False, rename="pascal"):
    """A bill."""

    bill_id: Id = field(name="BillID")
    billing_account_id: MaybeId = field(name="BillingAccountID", default=UNSET)
    biller_invoice_no: Text = UNSET
    amount_due: Number = UNSET
    amount_remaining: Number = UNSET
    dt_due: Text = field(name="dtDue", default=UNSET)
    dt_statement: Text = field(name="dtStatement", default=UNSET)


def _bad_number(row: Struct, *, required: tuple[str, ...] = (), where: str = "") -> Fault | None:
    """Return the first money field that is no number, or is required and null."""
    for name, called in _names_of(type(row)):
        value = getattr(row, name)
        if not isinstance(value, Raw) or number_text(value) is not None:
            continue
        if not is_null(value):
            text = bytes(value)
            code = "OUT_OF_RANGE" if text[:1] in b"-0123456789" else "WRONG_TYPE"
            return Fault(code, where + called, f"{where}{called}: not a number of at most 40 digits")
        if name in required:
            return Fault("MISSING_FIELD", where + called, f"{where}{called}: required and null")
    return None


@lru_cache(maxsize=64)
def _names_of(struct: type[Struct]) -> tuple[tuple[str, str], ...]:
    """Return each field's own name and the provider's; cached, as asking msgspec per row costs more than reading it."""
    return tuple((item.name, item.encode_name) for item in msgspec.structs.fields(struct))


def _first(faults: Iterable[Fault | None]) -> Fault | None:
    return next((fault for fault in faults if fault is not None), None)


def _setup(row: Setup, _context: Mapping[str, str]) -> Fault | None:
    if not isinstance(row.accounts, list):
        how = "absent" if row.accounts is UNSET else "null"
        return Fault("MISSING_FIELD", "Accounts", f"Accounts: required and {how}; what is left out is not empty")
    accounts = row.accounts
    pending = (pending for account in accounts for pending in account.pending())
    return (
        _bad_number(row)
        or _first(_bad_number(tier, where="Tiers.") for tier in row.tiers or [])
        or _first(_bad_number(account, where="Accounts.") for account in accounts)
        or _first(_bad_number(one, required=("account_total",), where="PendingPayments.") for one in pending)
    )


def _plan(row: Plan, _context: Mapping[str, str]) -> Fault | None:
    own = row.payments or []
    if not (row.create_date or row.date_to_start):
        return Fault("MISSING_FIELD", "CreateDate", "neither CreateDate nor DateToStart is given")
    if not own:
        for name, value in (("InitialBalance", row.initial_balance), ("PaymentAmount", row.payment_amount)):
            if is_null(value):
                return Fault("MISSING_FIELD", name, f"{name}: required where the plan has no own Payments")
    return _bad_number(row) or _first(_bad_number(one, required=("amount",), where="Payments.") for one in own)


def account_key(customer_token: str) -> str:
    """Return a key that tells customers apart without holding the token, which is a secret."""
    return hashlib.sha256(customer_token.encode()).hexdigest()[:16]


def _payment(row: Payment, context: Mapping[str, str]) -> Fault | None:
    asked = context.get("account_key")
    if asked is not None and isinstance(row.customer_token, str) and account_key(row.customer_token) != asked:
        return Fault("FOREIGN_TENANT", "CustomerToken", "the row belongs to another customer than the one asked for")
    if not (row.payment_date or row.create_date):
        return Fault("MISSING_FIELD", "PaymentDate", "neither PaymentDate nor CreateDate is given")
    return _bad_number(row, required=("total",)) or _first(
        _bad_number(part, where="InvoicePayments.") for part in row.invoice_payments or []
    )


def _invoice(row: Invoice, _context: Mapping[str, str]) -> Fault | None:
    return _bad_number(row)


_DISPLAYED = "".join(f" DisplayField{n} EntryField{n}" for n in range(1, 6))
_PENDING = Shape(Pending, key="TransactionID")
_ACCOUNT = Shape(
    Account,
    words("RoleMaskedAccount"),
    {"PendingPayment": _PENDING, "PendingPayments": _PENDING},
    key="AccountID",
    lacking=never("ExistingPaymentPlanID PendingPayment PendingPayments"),
)
SHAPES: Mapping[str, Shape[Any]] = {
    "setup": Shape(
        Setup,
        words("Message"),
        {"Accounts": _ACCOUNT, "Tiers": Shape(Tier)},
        key="",
        counted="Accounts",
        accept=_setup,
        lacking=never("RestrictedOverrideMinimum"),
    ),
    "plan": Shape(
        Plan,
        words(
            "PaymentName CanEdit DisplayDescription PaymentAccount PaymentAccountID PaymentAccountToken FeeWaived PPD"
            " OriginalPlanID ReferenceNumber OtherData SelectedAccounts CustomerToken"
        ),
        {"Payments": Shape(PlanPayment)},
        key="PaymentPlanID",
        counted="Payments",
        accept=_plan,
        lacking=never("CustomerID DateToStart LastEvaluatedDate MonthlyAmount Payments"),
    ),
    "payments": Shape(
        Payment,
        words(
            "CustomerName ExternalUserID BillerID Channel CombinedFees InvoicePaymentCount CreatedByUserID"
            " ApprovedByUserID CellPhone" + _DISPLAYED
        ),
        {
            "InvoicePayments": Shape(
                InvoicePayment,
                words(
                    "ID BillID BillerInvoiceNo AmountDue PaymentAmount RefundableAmount DueDate StatementDate IsCreditMemo"
                    " PaymentCode PaymentCodeReason TransactionType AccountNumber"
                ),
                lacking=never("ReversalAmount"),
            )
        },
        key="ID",
        counted="InvoicePayments",
        accept=_payment,
        lacking=never("ExternalTransactionID"),
    ),
    "invoices": Shape(
        Invoice,
        words("ActivePaymentAmount CurrentCharges DefaultPaymentAmount Details ReferenceNumber OtherData" + _DISPLAYED),
        key="BillID",
        accept=_invoice,
    ),
}


_ASKED = ("reference_number", "other_data")
_OF_PLAN = {"payment_plan_id": ("payment_plan_id", Kind.ID)}
TABLES: Mapping[str, Table] = {
    "setups": Table(
        "payiq__setups",
        columns(
            "allow_due_day:bool enforce_due_date:bool day_due:bigint default_monthly_payment:number"
            " initial_balance:number maximum_term:bigint plan_type restricted_override_minimum:number"
        ),
        given=("reference_number", "other_data", "account_key"),
    ),
    "setup_accounts": Table(
        "payiq__setup_accounts",
        columns(
            "account_id:id account_number amount_due:number currency_symbol due_date:moment"
            " existing_payment_plan_id:link stopped:bool update_date:moment"
        ),
        given=_ASKED,
        is_child=True,
        within=("accounts",),
    ),
    "pending_payments": Table(
        "payiq__pending_payments",
        columns("transaction_id:id status create_date:moment total:number account_total:number"),
        given=("account_id", "currency_symbol"),
        is_child=True,
        within=("accounts", "pending_payment pending_payments"),
        parent={"account_id": ("account_id", Kind.ID), "currency_symbol": ("currency_symbol", Kind.MARK)},
    ),
    "setup_tiers": Table(
        "payiq__setup_tiers",
        columns("minimum:number maximum:number payment_count:bigint restricted_minimum:number"),
        given=_ASKED,
        is_child=True,
        within=("tiers",),
    ),
    "plans": Table(
        "payiq__plans",
        columns(
            "payment_plan_id:id payment_plan_type customer_id:link create_date:moment date_to_start:moment"
            " currency_symbol day_type day_to_pay:bigint initial_balance:number payment_amount:number"
            " monthly_amount:number payment_count:bigint last_payment_amount:number last_payment_date:moment"
            " last_evaluated_date:moment"
        ),
        given=_ASKED,
    ),
    "plan_payments": Table(
        "payiq__plan_payments",
        columns("date:moment amount:number"),
        given=("payment_plan_id",),
        is_child=True,
        within=("payments",),
        parent=_OF_PLAN,
    ),
    "plan_accounts": Table(
        "payiq__plan_accounts",
        columns("account_id:id"),
        given=("payment_plan_id",),
        is_child=True,
        within=("billing_accounts",),
        parent=_OF_PLAN,
    ),
    "payments": Table(
        "payiq__payments",
        columns(
            "id:id status create_date:moment payment_date:moment total:number currency_symbol"
            " external_transaction_id:link has_multiple_accounts:bool"
        ),
        given=_ASKED,
    ),
    "invoice_payments": Table(
        "payiq__invoice_payments",
        columns("reference_number amount:number reversal_amount:number"),
        given=("payment_id",),
        is_child=True,
        within=("invoice_payments",),
        parent={"payment_id": ("id", Kind.ID)},
    ),
    "invoices": Table(
        "payiq__invoices",
        columns(
            "bill_id:id billing_account_id:link biller_invoice_no amount_due:number amount_remaining:number"
            " dt_due:moment dt_statement:moment"
        ),
    ),
}
