"""What Payt's rows look like, as its reference documents them, and the columns they become.

Money is a string with two decimals, dates are plain, timestamps UTC. Ids are documented as
strings and shown as integers: both are read, as text. Apart from what a computation cannot do
without, every field may be absent or null.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, json, structs

from providers.rows import Fault, Shape, never, words
from providers.tables import Kind, Table, columns

Id = Annotated[str, Meta(min_length=1, max_length=200)] | int
MaybeId = str | int | UnsetType | None
Text = str | UnsetType | None
Flag = bool | UnsetType | None
Unread = Raw | UnsetType


class Row(Struct, kw_only=True, gc=False):
    """What every row has."""

    id: Id


class Owned(Row, kw_only=True, gc=False):
    """What every row of an administration has."""

    administration_id: Id


class Administration(Row, kw_only=True, gc=False):
    """A tenant."""

    name: Text = UNSET
    status: Text = UNSET
    currency_code: Text = UNSET
    timezone: Text = UNSET


class Term(Row, kw_only=True, gc=False):
    """One instalment; `payment_date` is the day it was fully paid."""

    total_amount: str
    amount_due: str | None
    due_date: str
    payment_date: Text = UNSET


class Plan(Owned, kw_only=True, gc=False):
    """A payment plan with its terms."""

    created_at: str
    debtor_id: MaybeId = UNSET
    payment_terms: list[Term] | UnsetType | None = UNSET
    active: Flag = UNSET
    auto_activated: Flag = UNSET
    updated_at: Text = UNSET
    proposed_at: Text = UNSET
    approved_at: Text = UNSET
    rejected_at: Text = UNSET
    deactivated_at: Text = UNSET
    # Documented and not needed; declared so that a plan without surprises is recognised at once.
    reason: Unread = UNSET
    rejected_by_user: Unread = UNSET
    public_url: Unread = UNSET


class Payment(Owned, kw_only=True, gc=False):
    """Money booked on an invoice."""

    invoice_id: Id
    total_amount: str
    payment_date: str
    total_book_amount: Text = UNSET
    updated_at: Text = UNSET
    transaction_type: Text = UNSET
    cost_type: Text = UNSET
    reversal_code: Text = UNSET
    payment_method: Text = UNSET
    description: Unread = UNSET
    reason: Unread = UNSET


class PspTransaction(Owned, kw_only=True, gc=False):
    """Money on its way through a payment service."""

    status: str
    amount: str
    updated_at: str
    debtor_id: MaybeId = UNSET
    invoice_ids: list[Id] | UnsetType | None = UNSET
    currency_code: Text = UNSET
    payment_method: Text = UNSET
    book_amount: Text = UNSET
    paid_at: Text = UNSET
    reversal_code: Text = UNSET
    bank_account_name: Unread = UNSET
    bank_account_number: Unread = UNSET


class Invoice(Owned, kw_only=True, gc=False):
    """A bill; names the plan it is in only while that plan is active."""

    debtor_id: MaybeId = UNSET
    invoice_number: Text = UNSET
    currency_code: Text = UNSET
    due_date: Text = UNSET
    total_amount: Text = UNSET
    open_amount: Text = UNSET
    book_total_amount: Text = UNSET
    book_open_amount: Text = UNSET
    updated_at: Text = UNSET
    active_payment_plan_id: MaybeId = UNSET
    active_credit_case_id: MaybeId = UNSET
    paused_at: Text = UNSET


class CreditCase(Owned, kw_only=True, gc=False):
    """Bills collected together; names the plan it is in only while that plan is active."""

    debtor_id: MaybeId = UNSET
    credit_case_number: Text = UNSET
    currency_code: Text = UNSET
    total_amount: Text = UNSET
    open_amount: Text = UNSET
    started_at: Text = UNSET
    deactivated_at: Text = UNSET
    updated_at: Text = UNSET
    active_payment_plan_id: MaybeId = UNSET
    paused_at: Text = UNSET


class Debtor(Owned, kw_only=True, gc=False):
    """A customer; the personal fields are not read."""

    debtor_number: Text = UNSET
    paused_at: Text = UNSET
    updated_at: Text = UNSET


class Deleted(Owned, kw_only=True, gc=False):
    """A record that no longer shows in lists."""

    deleted_at: str


def _own_tenant(row: Owned, context: Mapping[str, str]) -> Fault | None:
    asked = context.get("administration_id")
    if asked is None or str(row.administration_id) == asked:
        return None
    return Fault(
        "FOREIGN_TENANT", "administration_id", "the row belongs to another administration than the one asked for"
    )


def _whole_plan(row: Plan, context: Mapping[str, str]) -> Fault | None:
    """Return the complaint about a plan that does not name its terms: a list left out is not an empty one."""
    if isinstance(row.payment_terms, list):
        return _own_tenant(row, context)
    return _own_tenant(row, context) or _left_out("payment_terms", row.payment_terms)


def _whole_transaction(row: PspTransaction, context: Mapping[str, str]) -> Fault | None:
    if isinstance(row.invoice_ids, list):
        return _own_tenant(row, context)
    return _own_tenant(row, context) or _left_out("invoice_ids", row.invoice_ids)


def _left_out(name: str, value: object) -> Fault:
    return Fault("MISSING_FIELD", name, f"{name}: required and {'absent' if value is UNSET else 'null'}")


_MILESTONES = "".join(f" reminder_{n}_at summons_{n}_at" for n in range(1, 5)) + (
    " final_reminder_at pre_reminder_at collectable_at debt_collection_at bailiff_at sent_at paused_at first_reminder_at"
    " latest_reminder_at first_summons_at latest_summons_at pre_summons_at notice_of_default_at pre_judicial_at"
    " forwarded_to_bailiff_at end_of_service_announcement_at end_of_service_at"
)
_ON_REQUEST = " public_url deeplink_url internal_note_email_address labels"
TERM = Shape(Term, lacking={"payment_date": lambda term: not (term.amount_due or "?").strip("0.")})
SHAPES: Mapping[str, Shape[Any]] = {
    "administrations": Shape(
        Administration,
        words(
            "email_address contact_name country_code city house_number street_name postal_code internal_name"
            " commercial_registration_number administration_url paused_at reminding_paused_at last_successful_import_at"
            " bank_account_name bank_account_number bank_account_bic vat_number import_origin_identifier"
        ),
    ),
    "payment_plans": Shape(
        Plan,
        children={"payment_terms": TERM},
        counted="payment_terms",
        accept=_whole_plan,
        unread=words("reason rejected_by_user public_url"),
        lacking=never("proposed_at rejected_at deactivated_at") | {"approved_at": lambda plan: plan.active is True},
    ),
    "payments": Shape(
        Payment,
        words("psp_transaction bank_transaction origin_identifier"),
        accept=_own_tenant,
        unread=words("description reason"),
        lacking=never("cost_type reversal_code payment_method")
        | {"transaction_type": lambda payment: payment.total_amount.startswith("-")},
    ),
    "psp_transactions": Shape(
        PspTransaction,
        counted="invoice_ids",
        accept=_whole_transaction,
        unread=words("bank_account_name bank_account_number"),
        lacking=never("paid_at reversal_code"),
    ),
    "invoices": Shape(
        Invoice,
        words(
            "payment_method invoice_date administration_costs_total administration_costs_open payment_plan_id credit_case_id"
            " debtor_number invoice_identifier payment_date reminding_paused_at category description flow_code document_url"
            " ubl_document_url invoice_lines purchase_order_number order_number peppol_identifier paused_by_user"
            + _MILESTONES
            + _ON_REQUEST
        ),
        accept=_own_tenant,
        lacking=never("active_payment_plan_id active_credit_case_id paused_at"),
    ),
    "credit_cases": Shape(
        CreditCase,
        words(
            "case_number debt_collection_costs interest_costs open_interest_and_collection_costs payment_plan_id"
            + _MILESTONES
            + _ON_REQUEST
        ),
        accept=_own_tenant,
        lacking=never("active_payment_plan_id deactivated_at paused_at"),
    ),
    "debtors": Shape(
        Debtor,
        words(
            "name debtor_identifier postal_address book_open_amount credit_limit_amount payment_behaviour language_code"
            " reminding_paused_at primary_email_address vat_number call_phone_number coc_number"
            " autogenerated_credit_limit_amount external_credit_limit_amount external_credit_limit_currency_code"
            " debtor_provided_email_address invoice_email_address invoice_cc_email_address invoice_bcc_email_address"
            " reminder_email_address reminder_cc_email_address reminder_bcc_email_address sms_phone_number"
            " peppol_identifier peppol_enabled relation_manager remark" + _ON_REQUEST
        ),
        accept=_own_tenant,
        lacking=never("paused_at"),
    ),
}
DELETED = Shape(Deleted, words("debtor_id origin_identifier invoice_id invoice_number"), accept=_own_tenant)


def fields_of(shape: Shape[Any]) -> str:
    """Return the fields a list is asked for: those that are read, and of a nested row those of it that are read."""
    return json.encode({"only": _read_of(shape)}).decode()


def _read_of(shape: Shape[Any]) -> list[object]:
    read = [item.encode_name for item in structs.fields(shape.struct) if item.type != Unread]
    return [{name: _read_of(shape.children[name])} if name in shape.children else name for name in read]


TABLES: Mapping[str, Table] = {
    "administrations": Table("payt__administrations", columns("id:id name status currency_code timezone")),
    "payment_plans": Table(
        "payt__payment_plans",
        columns(
            "id:id administration_id:id debtor_id:id active:bool auto_activated:bool created_at updated_at"
            " proposed_at approved_at rejected_at deactivated_at"
        ),
    ),
    "payment_terms": Table(
        "payt__payment_terms",
        columns("id:id total_amount amount_due due_date payment_date"),
        given=("plan_id",),
        is_child=True,
        within=("payment_terms",),
        parent={"plan_id": ("id", Kind.ID)},
    ),
    "payments": Table(
        "payt__payments",
        columns(
            "id:id administration_id:id invoice_id:id total_amount total_book_amount payment_date updated_at"
            " transaction_type cost_type reversal_code payment_method"
        ),
    ),
    "psp_transactions": Table(
        "payt__psp_transactions",
        columns(
            "id:id administration_id:id debtor_id:id currency_code payment_method status amount book_amount"
            " updated_at paid_at reversal_code"
        ),
    ),
    "psp_invoices": Table(
        "payt__psp_invoices",
        {},
        given=("psp_id", "invoice_id"),
        is_child=True,
        within=("invoice_ids",),
        parent={"psp_id": ("id", Kind.ID)},
        itself="invoice_id",
    ),
    "invoices": Table(
        "payt__invoices",
        columns(
            "id:id administration_id:id debtor_id:id invoice_number currency_code due_date total_amount"
            " open_amount book_total_amount book_open_amount updated_at active_payment_plan_id:id"
            " active_credit_case_id:id paused_at"
        ),
    ),
    "credit_cases": Table(
        "payt__credit_cases",
        columns(
            "id:id administration_id:id debtor_id:id credit_case_number currency_code total_amount"
            " open_amount started_at deactivated_at updated_at active_payment_plan_id:id paused_at"
        ),
    ),
    "debtors": Table("payt__debtors", columns("id:id administration_id:id debtor_number paused_at updated_at")),
    "deleted": Table("payt__deleted", columns("id:id administration_id:id deleted_at"), given=("kind",)),
}
