"""What Totality's records look like and the columns they become.

Amounts are integer cents, dates plain, timestamps ISO 8601, ids UUIDs. Most names of the list
answers are assumed, since no list page could be read: each can be renamed through the
table of assumptions, as `<entity>.<field>`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from providers.rows import Fault, Shape, never, words
from providers.tables import Kind, Table, columns

Uuid = Annotated[str, Meta(min_length=1, max_length=200)]
Cents = Annotated[int, Meta(ge=-(10**18), le=10**18)]
Text = str | UnsetType | None
Flag = bool | UnsetType | None
Whole = Annotated[int, Meta(ge=-(10**18), le=10**18)] | UnsetType | None
Unread = Raw | UnsetType


class Record(Struct, kw_only=True, gc=False, rename="camel"):
    """What every record has."""

    uuid: Uuid
    created_at: Text = UNSET
    updated_at: Text = UNSET


class Loan(Record, kw_only=True, gc=False, rename="camel"):
    """An account; its balance is what is owed on it, in cents."""

    customer_uuid: Text = UNSET
    external_id: Text = UNSET
    status: Text = UNSET
    balance: Whole = UNSET
    is_auto_scheduled: Flag = UNSET


class Entry(Struct, kw_only=True, gc=False, rename="camel"):
    """One payment of a schedule of the lender's own making."""

    date: str
    amount: Cents


class Plan(Record, kw_only=True, gc=False, rename="camel"):
    """A payment plan: active or not, and the body it was created with."""

    loan_uuid: Uuid
    is_active: bool
    collector_user_id: Whole = UNSET
    contact_method: Text = UNSET
    days_in_period: Whole = UNSET
    first_payment_day: Whole = UNSET
    first_payment_date: Text = UNSET
    is_partial_payment_plan: Flag = UNSET
    move_payment_on_holiday_days: Whole = UNSET
    move_payment_on_weekend_days: Whole = UNSET
    number_of_payments: Whole = UNSET
    payment_amount: Whole = UNSET
    payment_arrangement_type: Text = UNSET
    payment_frequency: Text = UNSET
    schedule: list[Entry] | UnsetType | None = UNSET
    schedule_type: Text = UNSET
    second_payment_day: Whole = UNSET
    total_plan_amount: Whole = UNSET
    weekday_of_first_payment: Text = UNSET
    weekday_of_second_payment: Text = UNSET
    week_of_first_payment: Whole = UNSET
    week_of_second_payment: Whole = UNSET


class ScheduledPayment(Record, kw_only=True, gc=False, rename="camel"):
    """A term: names its loan, its plan and, once paid, the payment."""

    loan_uuid: Uuid
    amount: Cents
    payment_date: str
    payment_plan_uuid: Text = UNSET
    is_echeck: Flag = msgspec.field(name="isECheck", default=UNSET)
    payment_uuid: Text = UNSET


class Payment(Record, kw_only=True, gc=False, rename="camel"):
    """Money on a loan; a promise and a prenote are listed here and are not money."""

    loan_uuid: Uuid
    amount: Cents
    status: str
    payment_type: Text = UNSET
    is_promise: Flag = UNSET
    is_prenote: Flag = UNSET
    processed_at: Text = UNSET
    posted_at: Text = UNSET
    settled_on: Text = UNSET
    failed_at: Text = UNSET
    returned_at: Text = UNSET
    external_id: Text = UNSET
    failed_payment_uuid: Text = UNSET
    to_be_posted_at: Text = UNSET
    fees: Whole = UNSET


def _dated(row: Payment, _context: Mapping[str, str]) -> Fault | None:
    if any((row.processed_at, row.posted_at, row.settled_on, row.created_at)):
        return None
    return Fault("MISSING_FIELD", "processedAt", "none of processedAt, postedAt, settledOn, createdAt is given")


SHAPES: Mapping[str, Shape[Any]] = {
    "loans": Shape(
        Loan,
        words(
            "approvedAt becameEligibleForRefinanceOn csoBuyBackDate csoBuyBackFees csoBuyBackInterest csoBuyBackPrincipal"
            " csoLoanFee csoRateLoan csoRatePayment csoTargetApr daysLate decisioningProvider deferredPayments denialReason"
            " deniedAt desiredPrincipalAmount estimatedFundingOn firstPaymentDate firstPaymentDay fundedAt"
            " hasHardPrincipalPayments interestRate isContractViewable isFirstPaymentDefaulted isInterestAppliedAfterContract"
        ),
        key="uuid",
        lacking=never("externalId isAutoScheduled"),
    ),
    "payment_plans": Shape(
        Plan,
        children={"schedule": Shape(Entry)},
        key="uuid",
        counted="schedule",
        lacking=never(
            "collectorUserId contactMethod firstPaymentDay isPartialPaymentPlan paymentAmount scheduleType secondPaymentDay"
            " weekdayOfFirstPayment weekdayOfSecondPayment weekOfFirstPayment weekOfSecondPayment"
        )
        | {
            "daysInPeriod": lambda plan: plan.payment_frequency == "days",
            "numberOfPayments": lambda plan: plan.payment_arrangement_type == "Payment Number Based",
            "schedule": lambda plan: plan.payment_arrangement_type == "Custom Payment Schedule",
            "totalPlanAmount": lambda plan: plan.is_partial_payment_plan is True,
        },
    ),
    # That a payment may be of no plan is no reason to leave the plan out: without it every plan would lose its terms.
    "scheduled_payments": Shape(ScheduledPayment, key="uuid", lacking=never("paymentUuid")),
    "payments": Shape(
        Payment,
        words(
            "description detail importSource failureDescription failureCode principal interest refId returnCode"
            " returnDescription transferAmount"
        ),
        key="uuid",
        accept=_dated,
        lacking=never("isPromise isPrenote settledOn failedAt externalId failedPaymentUuid toBePostedAt fees")
        | {"returnedAt": lambda payment: payment.status == "Returned"},
    ),
}


TABLES: Mapping[str, Table] = {
    "loans": Table(
        "totality__loans",
        columns("uuid customer_uuid external_id status balance:bigint is_auto_scheduled:bool created_at updated_at"),
    ),
    "payment_plans": Table(
        "totality__payment_plans",
        columns(
            "uuid loan_uuid is_active:bool created_at updated_at collector_user_id:bigint contact_method"
            " days_in_period:bigint first_payment_day:bigint first_payment_date is_partial_payment_plan:bool"
            " move_payment_on_holiday_days:bigint move_payment_on_weekend_days:bigint"
            " number_of_payments:bigint payment_amount:bigint payment_arrangement_type payment_frequency"
            " schedule_type second_payment_day:bigint total_plan_amount:bigint weekday_of_first_payment"
            " weekday_of_second_payment week_of_first_payment:bigint week_of_second_payment:bigint"
        ),
    ),
    "plan_schedule": Table(
        "totality__plan_schedule",
        columns("date amount:bigint"),
        given=("plan_uuid",),
        is_child=True,
        within=("schedule",),
        parent={"plan_uuid": ("uuid", Kind.TEXT)},
    ),
    "scheduled_payments": Table(
        "totality__scheduled_payments",
        columns(
            "uuid loan_uuid payment_plan_uuid amount:bigint payment_date is_echeck:bool payment_uuid"
            " created_at updated_at"
        ),
    ),
    "payments": Table(
        "totality__payments",
        columns(
            "uuid loan_uuid amount:bigint status payment_type is_promise:bool is_prenote:bool processed_at"
            " posted_at settled_on failed_at returned_at external_id failed_payment_uuid to_be_posted_at fees:bigint created_at updated_at"
        ),
    ),
}
