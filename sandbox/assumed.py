"""Every behaviour of the sandbox that no provider's page shows, in one table, each switchable.

What the pages do show is in `payt.py`, `totality.py` and `payiq.py` and has no
switch. A server reads its assumptions at each request, so a test may change one
on a running sandbox: `sandbox.assumed.payt_last_page = "null"`. Paths are read when
it starts: `serve(world, assumed=Assumed(payiq_payments_path="Api/Payments"))`.
"""

from dataclasses import dataclass, field, fields
from typing import Any, Literal


def _assume(value: Any, meaning: str) -> Any:
    """Return a field with that default and its meaning."""
    return field(default=value, metadata={"means": meaning})


@dataclass(slots=True)
class Assumed:
    """The assumptions in force on one sandbox; `table()` lists them with their meanings."""

    payt_last_page: Literal["absent", "null", "empty", "empty_page"] = _assume(
        "absent", "how a list ends: no pagination, a null or empty cursor, or a cursor to an empty page"
    )
    payt_integer_ids: bool = _assume(False, "ids and cursors are JSON integers, as in one worked example")
    payt_updated_after_inclusive: bool = _assume(False, "a row updated exactly at updated_after is returned")
    payt_unknown_id_status: int = _assume(404, "answer to an id that does not exist")
    payt_illegal_state_status: int = _assume(422, "answer to a change the plan's state does not allow")
    payt_retry_after: str | None = _assume(None, "Retry-After sent with 429; none is documented")
    payt_links_required: bool = _assume(True, "a new plan must name an invoice or credit case")
    payt_sum_must_match: bool = _assume(False, "a new plan's terms must add up to the open amounts it covers")
    payt_all_grants: bool = _assume(True, "the one sandbox application may use every grant type")

    totality_token_path: str = _assume("/oauth/token", "path of the token call at the host's origin")
    totality_paths: tuple[tuple[str, str], ...] = _assume(
        (
            ("loans", "loans"),
            ("payment-plans", "payment_plans"),
            ("scheduled-payments", "scheduled_payments"),
            ("payments", "payments"),
        ),
        "path of each list, and the rows it serves",
    )
    totality_plan_fields: tuple[str, ...] = _assume(
        ("daysInPeriod", "movePaymentOnHolidayDays", "movePaymentOnWeekendDays", "numberOfPayments", "paymentAmount"),
        "names of a new plan's fields that the page leaves out; and date, amount within schedule",
    )
    totality_token_life: int = _assume(3600, "seconds until a token from the token call expires")
    totality_list_shape: Literal["array", "data"] = _assume("array", "a list is a bare array or lies under data")
    totality_page_size: int = _assume(500, "rows of one numbered page")
    totality_bad_accept_status: int = _assume(406, "answer to an Accept that is not the vendor type")
    totality_bad_content_type_status: int = _assume(415, "answer to a body that is not JSON")
    totality_active_statuses: tuple[str, ...] = _assume(("Funded",), "loan statuses on which a plan may be made")
    totality_second_plan_status: int = _assume(409, "answer to a second active plan where only one is allowed")
    totality_remainder: Literal["last", "first"] = _assume("last", "payment that carries what does not divide")
    totality_shift_order: Literal["weekend_first", "holiday_first"] = _assume(
        "weekend_first", "order of the two date shifts, each at most once"
    )

    payiq_payments_path: str = _assume("Api/Payment", "path of the call that pages through an account's payments")
    payiq_plan_path: str = _assume(
        "Api/PaymentPlan", "path of the call that reads, creates, revises and deletes a plan"
    )
    payiq_signature: Literal["hmac_sha256_hex"] = _assume(
        "hmac_sha256_hex", "lower-case hex HMAC-SHA256 of APIKey and CreationDate with the signing secret"
    )
    payiq_day_types: tuple[str, str] = _assume(("DueDate", "DayOfMonth"), "the two values of PaymentPlanDayType")
    payiq_token_life: int = _assume(3600, "seconds until a token expires")
    payiq_bad_auth_status: int = _assume(401, "answer to a wrong key, signature or token")
    payiq_business_error_status: int = _assume(200, "HTTP status of an envelope with Success false")
    payiq_page_size: int = _assume(50, "rows of a page where PageSize is left out")
    payiq_max_page_size: int = _assume(500, "largest page; a larger PageSize is cut to it")
    payiq_enforce_policy: bool = _assume(True, "creating or revising a plan obeys the setup's limits")

    def table(self) -> list[tuple[str, object, str]]:
        """Return name, value in force and meaning of every assumption, in order."""
        return [(item.name, getattr(self, item.name), item.metadata["means"]) for item in fields(self)]
