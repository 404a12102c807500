"""The rows that figures rest on, as they are told: the plan, its terms, its payments, its pauses."""

from collections.abc import Mapping

from schemas.explanation import Given, Origin, Value
from transforms.explanation.case import Case, Row, term_name
from transforms.explanation.money import is_settled, is_waiting

Origins = Mapping[tuple[str, str], Origin]

_PLAN = (
    *("account_id", "customer_id", "currency", "basis", "created_on", "proposed_on", "approved_on", "rejected_on"),
    *(
        "deactivated_on",
        "deleted_on",
        "ended_on",
        "replaced_on",
        "replaced_by_plan_id",
        "is_active",
        "is_approved",
        "is_vanished",
    ),
    *("over_on", "closes_on", "updated_on", "stated_total_minor", "provider_amount_due_minor", "cadence", "anchor_day"),
)
_TERM = (
    *("term_no", "term_id", "nominal_due_date", "due_date", "trace", "amount_minor", "is_owed", "is_listed"),
    *("payable_minor", "tolerance_minor", "waived_minor", "received_minor", "outstanding_minor", "pending_minor"),
    *("fresh_pending_minor", "provider_outstanding_minor", "provider_paid_on", "updated_on", "removed_on"),
    *("is_satisfied", "satisfied_on", "state", "days_late", "flags", "expected_due_date", "expected_amount_minor"),
)
_PAYMENT = (
    *(
        "payment_id",
        "account_id",
        "currency",
        "amount_minor",
        "effective_date",
        "created_on",
        "planned_on",
        "counts_from",
    ),
    *("class", "provider_status", "is_money", "reversed_on", "back_minor", "unusable_minor", "is_stale"),
    *("pending_business_days", "allocated_minor"),
)


def plan_row(case: Case, origins: Origins) -> Given:
    """Return the plan's own row, with what is told of it as of the date."""
    facts: dict[str, Value] = {"plan_id": case.plan["plan_id"]} | _told(case.located, _PLAN)
    facts["replaced_by_plan_id"] = case.plan["replaced_by_plan_id"]
    facts["is_in_force"] = case.plan["is_in_force"]
    facts["missing_input"] = case.plan["missing_input"]
    facts["judges_schedule"] = case.judges_schedule
    return Given("plan", facts, origins.get(("plan", "")))


def term_rows(case: Case, origins: Origins) -> tuple[Given, ...]:
    """Return the terms in order; `linked_payment` names the payment that a term names, where it is one of the plan's."""
    ids = {row["payment_no"]: row["name"] for row in case.payments}
    return tuple(
        Given(
            term_name(row["term_no"]),
            _told(row, _TERM) | {"linked_payment": ids.get(row["linked_payment_no"])},
            origins.get(("term", row["term_id"])),
        )
        for row in case.terms
    )


def payment_rows(case: Case, origins: Origins) -> tuple[Given, ...]:
    """Return the payments in the order in which they pay; `counts_as` says whether one is settled, pending or neither."""
    return tuple(
        Given(
            row["name"],
            _told(row, _PAYMENT) | {"counts_as": _counts_as(row, case)},
            origins.get(("payment", str(row["payment_no"]))),
        )
        for row in sorted(case.payments, key=lambda row: (row["effective_date"], row["payment_no"]))
    )


def pause_rows(case: Case) -> tuple[Given, ...]:
    """Return the times whose days do not count, the end day excluded."""
    return tuple(
        Given(f"pause {number}", {"start": row["pause_start"], "end": row["pause_end"]})
        for number, row in enumerate(case.pauses, start=1)
    )


def _counts_as(row: Row, case: Case) -> str:
    return "settled" if is_settled(row, case) else "pending" if is_waiting(row, case) else "nothing"


def _told(row: Row, names: tuple[str, ...]) -> dict[str, Value]:
    return {name: row.get(name) for name in names}
