"""The calls that change payment plans at Payt, made from a body as written. Sends nothing.

A create is a JSON body whose amounts are numbers; the other changes are forms. There is no call
that updates a plan.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from providers.checking import (
    Field,
    day,
    day_of,
    entries,
    faults,
    holding,
    impossible,
    money,
    plan_segment,
    refuse,
    text,
    texts,
    written,
)
from providers.payt.reading import NAME
from providers.writing import Impossible, Order, Term, Wanted

OPERATIONS = ("create", "approve", "reject", "deactivate")
LINKS = ("invoice_numbers", "invoice_identifiers", "credit_case_numbers")
_LONGEST_EMAIL = 254


@holding("text")
def _email(name: str, value: Any) -> Iterator[str]:
    wrong = list(text(_LONGEST_EMAIL)(name, value))
    yield from wrong
    if not wrong and (value.count("@") != 1 or value != value.strip()):
        yield f"{name} must be an e-mail address"


CREATE: Mapping[str, Field] = {
    "administration_id": Field(text(200)),
    "terms": entries({"amount": Field(money(), required=True), "due_date": Field(day, required=True)}, required=True),
    "cc_email_address": Field(_email),
    **dict.fromkeys(LINKS, Field(texts)),
}
SHOWN = msgspec.json.encode(
    {
        "only": [
            *("id", "administration_id", "debtor_id", "active", "auto_activated", "created_at", "updated_at"),
            *("proposed_at", "approved_at", "rejected_at", "deactivated_at"),
            {"payment_terms": ["id", "total_amount", "amount_due", "due_date", "payment_date"]},
        ]
    }
).decode()
"""What the answer to a change shall show, as the provider's `fields`: the plan without the debtor's reason."""


def with_tenant(wanted: Wanted, administrations: tuple[str, ...]) -> Wanted:
    """Return the same change with its administration: as asked for, else the body's, else the only one configured.

    Raises:
        Impossible: two different ones are named, or one that is not configured.
    """
    named = wanted.body.get("administration_id") if wanted.operation == "create" else None
    stated = named if isinstance(named, str) else ""
    if wanted.tenant_id and stated and wanted.tenant_id != stated:
        message = "administration_id in the body is not the administration asked for"
        raise Impossible(message, provider=NAME)
    only = administrations[0] if len(administrations) == 1 and administrations[0] != "*" else ""
    tenant = wanted.tenant_id or stated or only
    if tenant and "*" not in administrations and tenant not in administrations:
        message = f"administration {tenant} is not among the configured administrations"
        raise Impossible(message, provider=NAME)
    return replace(wanted, tenant_id=tenant)


def order_of(wanted: Wanted, administrations: tuple[str, ...], *, links_required: bool) -> Order:
    """Return the call that makes the change.

    Raises:
        Impossible: there is no such call, or the body is not what is documented.
    """
    if wanted.operation not in OPERATIONS:
        step = "Payt changes no terms; approve, reject or deactivate the plan, or create another."
        raise impossible(NAME, wanted.operation, step)
    if wanted.operation == "create":
        _check(wanted, links_required=links_required)
    elif wanted.body:
        raise Impossible(f"to {wanted.operation} a plan takes no body", provider=NAME)
    placed = with_tenant(wanted, administrations)
    if not placed.tenant_id:
        step = "Name the administration with --tenant, or in the body of a create as administration_id."
        raise Impossible("no administration is named", provider=NAME, next_step=step)
    return _create(placed) if wanted.operation == "create" else _change(placed)


def _check(wanted: Wanted, *, links_required: bool) -> None:
    found = list(faults(wanted.body, CREATE))
    if links_required and not any(wanted.body.get(name) for name in LINKS):
        found.append(f"one of {', '.join(LINKS)} is needed")
    refuse(NAME, found)


def _create(wanted: Wanted) -> Order:
    body = {**written(wanted.body, CREATE), "administration_id": wanted.tenant_id}
    return Order(
        provider=NAME,
        operation=wanted.operation,
        tenant_id=wanted.tenant_id,
        plan_id=None,
        owner="",
        method="POST",
        path="/v1/payment_plans",
        route="/v1/payment_plans",
        body={name: body[name] for name in CREATE if name in body},
        terms=tuple(Term(_day(item), Decimal(item["amount"])) for item in body["terms"]),
    )


def _day(item: Mapping[str, Any]) -> Any:
    return day_of(item["due_date"])


def _change(wanted: Wanted) -> Order:
    plan_id, in_path = plan_segment(NAME, wanted)
    return Order(
        provider=NAME,
        operation=wanted.operation,
        tenant_id=wanted.tenant_id,
        plan_id=plan_id,
        owner="",
        method="PATCH",
        path=f"/v1/payment_plans/{in_path}/{wanted.operation}",
        route=f"/v1/payment_plans/{{id}}/{wanted.operation}",
        media="form",
        body={"administration_id": wanted.tenant_id, "fields": SHOWN},
    )
