"""What decoded provider pages look like before SQL gives them one shape.

One table per provider entity, columns named as the provider means them, money
still as the provider wrote it, timestamps still as text. Every table also has
`page_no`, `position` (of the top-level row in its page) and `ordinal` (0 for the
top-level row, else the place within its parent); tables of top-level rows have
`row_hash` (SHA-256 of the row's bytes). Meanings of core columns do not belong here.
"""

from collections.abc import Mapping

import polars as pl

_TYPES: Mapping[str, pl.DataType] = {"text": pl.String(), "bool": pl.Boolean(), "int": pl.Int64()}

_WHERE = "page_no:int position:int ordinal:int"

_TABLES = {
    "payt__administrations": "id name status currency_code timezone",
    "payt__payment_plans": (
        "id administration_id debtor_id active:bool auto_activated:bool created_at updated_at proposed_at approved_at "
        "rejected_at deactivated_at"
    ),
    "payt__payment_terms": "plan_id id total_amount amount_due due_date payment_date",
    "payt__payments": (
        "id administration_id invoice_id total_amount total_book_amount payment_date updated_at transaction_type "
        "cost_type reversal_code payment_method"
    ),
    "payt__psp_transactions": (
        "id administration_id debtor_id currency_code payment_method status amount book_amount updated_at paid_at "
        "reversal_code"
    ),
    "payt__psp_invoices": "psp_id invoice_id",
    "payt__invoices": (
        "id administration_id debtor_id invoice_number currency_code due_date total_amount open_amount "
        "book_total_amount book_open_amount updated_at active_payment_plan_id active_credit_case_id paused_at"
    ),
    "payt__credit_cases": (
        "id administration_id debtor_id credit_case_number currency_code total_amount open_amount started_at "
        "deactivated_at updated_at active_payment_plan_id paused_at"
    ),
    "payt__debtors": "id administration_id debtor_number paused_at updated_at",
    "payt__deleted": "kind id administration_id deleted_at",
    "totality__loans": (
        "uuid customer_uuid external_id status balance:int is_auto_scheduled:bool created_at updated_at"
    ),
    "totality__payment_plans": (
        "uuid loan_uuid is_active:bool created_at updated_at collector_user_id:int contact_method days_in_period:int "
        "first_payment_day:int first_payment_date is_partial_payment_plan:bool move_payment_on_holiday_days:int "
        "move_payment_on_weekend_days:int number_of_payments:int payment_amount:int payment_arrangement_type "
        "payment_frequency schedule_type second_payment_day:int total_plan_amount:int weekday_of_first_payment "
        "weekday_of_second_payment week_of_first_payment:int week_of_second_payment:int"
    ),
    "totality__plan_schedule": "plan_uuid date amount:int",
    "totality__scheduled_payments": (
        "uuid loan_uuid payment_plan_uuid amount:int payment_date is_echeck:bool payment_uuid created_at updated_at"
    ),
    "totality__payments": (
        "uuid loan_uuid amount:int status payment_type is_promise:bool is_prenote:bool processed_at posted_at "
        "settled_on failed_at returned_at external_id failed_payment_uuid to_be_posted_at fees:int created_at "
        "updated_at"
    ),
    "payiq__setups": (
        "reference_number other_data account_key allow_due_day:bool enforce_due_date:bool day_due:int "
        "default_monthly_payment initial_balance maximum_term:int plan_type restricted_override_minimum"
    ),
    "payiq__setup_accounts": (
        "reference_number other_data account_id account_number amount_due currency_symbol due_date "
        "existing_payment_plan_id stopped:bool update_date"
    ),
    "payiq__pending_payments": "account_id transaction_id status create_date total account_total currency_symbol",
    "payiq__setup_tiers": "reference_number other_data minimum maximum payment_count:int restricted_minimum",
    "payiq__plans": (
        "payment_plan_id payment_plan_type customer_id create_date date_to_start currency_symbol day_type "
        "day_to_pay:int initial_balance payment_amount monthly_amount payment_count:int last_payment_amount "
        "last_payment_date last_evaluated_date reference_number other_data"
    ),
    "payiq__plan_payments": "payment_plan_id date amount",
    "payiq__plan_accounts": "payment_plan_id account_id",
    "payiq__payments": (
        "id status create_date payment_date total currency_symbol external_transaction_id has_multiple_accounts:bool "
        "reference_number other_data"
    ),
    "payiq__invoice_payments": "payment_id reference_number amount reversal_amount",
    "payiq__invoices": "bill_id billing_account_id biller_invoice_no amount_due amount_remaining dt_due dt_statement",
}


_CHILDREN = frozenset(
    {
        *("payt__payment_terms", "payt__psp_invoices", "totality__plan_schedule", "payiq__setup_accounts"),
        *("payiq__pending_payments", "payiq__setup_tiers", "payiq__plan_payments", "payiq__plan_accounts"),
        "payiq__invoice_payments",
    }
)

TOP_LEVEL = tuple(name for name in _TABLES if name not in _CHILDREN)
"""Tables whose rows stand at the top level of a page."""


def _dtypes(name: str) -> dict[str, pl.DataType]:
    columns = f"{_TABLES[name]} {_WHERE}" + (" row_hash" if name in TOP_LEVEL else "")
    pairs = (column.partition(":") for column in columns.split())
    return {column: _TYPES[kind or "text"] for column, _, kind in pairs}


RECEIVED: Mapping[str, Mapping[str, pl.DataType]] = {name: _dtypes(name) for name in _TABLES}
"""Polars dtypes of every received table, in column order."""
