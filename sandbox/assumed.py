"""Every behaviour of the sandbox that no provider's page shows, in one table, each switchable.

What the pages do show is in `payt.py`, `totality.py` and `payiq.py` and has no
switch. A server reads its assumptions at each request, so a test may change one
on a running sandbox: `sandbox.assumed.payt_last_page = "null"`. Paths are read when
it starts: `serve(world, assumed=Assumed(payiq_payments_path="Api/Payments"))`.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Assumed:
    """The assumptions in force on one sandbox, each with its meaning."""

    # how a list ends: no pagination, a null or empty cursor, or a cursor to an empty page
    payt_last_page: Literal["absent", "null", "empty", "empty_page"] = "absent"
    payt_integer_ids: bool = False  # ids and cursors are JSON integers, as in one worked example
    payt_updated_after_inclusive: bool = False  # a row updated exactly at updated_after is returned
    payt_unknown_id_status: int = 404  # answer to an id that does not exist
    payt_illegal_state_status: int = 422  # answer to a change the plan's state does not allow
    payt_retry_after: str | None = None  # Retry-After sent with 429; none is documented
    payt_links_required: bool = True  # a new plan must name an invoice or credit case
    payt_sum_must_match: bool = False  # a new plan's terms must add up to the open amounts it covers

    # path of the token call at the host's origin
    totality_token_path: str = "/oauth/token"  # noqa: S105, a path and no secret
    # path of each list, and the rows it serves
    totality_paths: tuple[tuple[str, str], ...] = (
        ("loans", "loans"),
        ("payment-plans", "payment_plans"),
        ("scheduled-payments", "scheduled_payments"),
        ("payments", "payments"),
    )
    # names of a new plan's fields that the page leaves out; and date, amount within schedule
    totality_plan_fields: tuple[str, ...] = (
        "daysInPeriod",
        "movePaymentOnHolidayDays",
        "movePaymentOnWeekendDays",
        "numberOfPayments",
        "paymentAmount",
    )
    totality_token_life: int = 3600  # seconds until a token from the token call expires
    totality_list_shape: Literal["array", "data"] = "array"  # a list is a bare array or lies under data
    totality_page_size: int = 500  # rows of one numbered page
    totality_bad_accept_status: int = 406  # answer to an Accept that is not the vendor type
    totality_bad_content_type_status: int = 415  # answer to a body that is not JSON
    totality_active_statuses: tuple[str, ...] = ("Funded",)  # loan statuses on which a plan may be made
    totality_second_plan_status: int = 409  # answer to a second active plan where only one is allowed
    totality_remainder: Literal["last", "first"] = "last"  # payment that carries what does not divide
    # order of the two date shifts, each at most once
    totality_shift_order: Literal["weekend_first", "holiday_first"] = "weekend_first"

    payiq_payments_path: str = "Api/Payment"  # path of the call that pages through an account's payments
    payiq_plan_path: str = "Api/PaymentPlan"  # path of the call that reads, creates, revises and deletes a plan
    payiq_day_types: tuple[str, str] = ("DueDate", "DayOfMonth")  # the two values of PaymentPlanDayType
    payiq_token_life: int = 3600  # seconds until a token expires
    payiq_bad_auth_status: int = 401  # answer to a wrong key, signature or token
    payiq_business_error_status: int = 200  # HTTP status of an envelope with Success false
    payiq_page_size: int = 50  # rows of a page where PageSize is left out
    payiq_max_page_size: int = 500  # largest page; a larger PageSize is cut to it
    payiq_enforce_policy: bool = True  # creating or revising a plan obeys the setup's limits
