"""What a new plan at Payt would cover: the invoices and credit cases its body names, and what is open on them.

Objections name a field, a position in it and the number that was written there, so that its line can be found.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from providers.errors import ProviderError
from providers.http.addresses import segment
from providers.http.transport import Call, Transport
from providers.pages import parsed
from providers.payt.orders import LINKS
from providers.payt.reading import NAME, PaytClient
from providers.payt.shown import Bill, Case, Covered, covered
from providers.sending import NOT_FOUND, as_text, typed
from providers.writing import Order

R = TypeVar("R", Bill, Case)
AT_ONCE = 50
"""Numbers asked for in one address; a longer one may be refused on its way."""
NAMED = {
    "invoice_numbers": "invoice_number",
    "invoice_identifiers": "invoice_identifier",
}


_CASE_NUMBERS = ("credit_case_number", "case_number")


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is covered, as `Before` tells it. `debtors` are their ids, with the number where an invoice shows it."""

    debtors: Mapping[str, str] = field(default_factory=dict)
    total: Decimal | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    objections: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def coverage(transport: Transport, lists: PaytClient, order: Order, currency: str | None) -> Coverage:
    """Look up everything the order names and say what is wrong with it. Only reads."""
    objections: list[str] = []
    found: dict[tuple[str, str], Covered] = {}
    for name in LINKS:
        values = [str(value) for value in order.body.get(name) or ()]
        rows = _looked_up(transport, lists, order.tenant_id, name, values) if values else {}
        for at, value in enumerate(values):
            if value not in rows:
                objections.append(f"{name}[{at}] {value!r} is unknown in this administration")
                continue
            one = covered(rows[value], currency)
            found[one.kind, one.row_id] = one
            if one.plan_id:
                objections.append(f"{name}[{at}] {value!r}: the {one.kind} is in active plan {one.plan_id} already")
    debtors = {one.debtor_id: "" for one in found.values() if one.debtor_id}
    debtors |= {one.debtor_id: one.debtor_number for one in found.values() if one.debtor_id and one.debtor_number}
    if len(debtors) > 1:
        objections.append(f"the invoices and cases belong to {len(debtors)} debtors; a plan is for one")
    total, remarks = _total(list(found.values()))
    asked = sum((term.amount for term in order.terms), Decimal(0))
    if total is not None and found and asked != total:
        remarks.append(f"the terms add up to {asked:f}, open is {total:f}")
    counts = {kind: sum(one.kind == kind for one in found.values()) for kind in ("invoice", "credit case")}
    facts = {"invoices": counts["invoice"], "credit_cases": counts["credit case"]}
    return Coverage(debtors, total if found else None, facts, tuple(objections), tuple(remarks))


def _total(found: Sequence[Covered]) -> tuple[Decimal | None, list[str]]:
    """Return what is open in all, each invoice once: one in a case named here counts with the case."""
    cases = {one.row_id for one in found if one.kind == "credit case"}
    within = [one for one in found if one.case_id and one.case_id in cases]
    counted = [one.open_amount for one in found if one not in within]
    remarks = []
    if within:
        remarks.append(f"{len(within)} of the invoices are in a credit case that is named too; they count once")
    if any(one.is_foreign for one in found):
        remarks.append("some of it is in another currency than the administration's; its booked amount counts")
    if any(amount is None for amount in counted):
        remarks.append("what is open is not shown for all of it, so the terms cannot be compared with it")
        return None, remarks
    return sum((amount for amount in counted if amount is not None), Decimal(0)), remarks


def _looked_up(
    transport: Transport, lists: PaytClient, tenant_id: str, name: str, values: Sequence[str]
) -> dict[str, Bill] | dict[str, Case]:
    """Return the rows by the value that names them; the provider's filter only helps, every row is compared here."""
    if name == "credit_case_numbers":
        cases: dict[str, Case] = {}
        for case in _named(lists.rows("credit_cases", tenant_id), Case, tenant_id, _CASE_NUMBERS, values):
            cases |= {str(number): case for number in (case.case_number, case.credit_case_number) if number in values}
        return cases
    column = NAMED[name]
    bills: dict[str, Bill] = {}
    listed = [value for value in values if "," not in value]
    for start in range(0, len(listed), AT_ONCE):
        some = ",".join(listed[start : start + AT_ONCE])
        for bill in _named(lists.rows("invoices", tenant_id, ((name, some),)), Bill, tenant_id, (column,), values):
            bills[getattr(bill, column)] = bill
    for value in values:
        # A comma would make two numbers of it in a list.
        single = _single(transport, tenant_id, column, value) if "," in value else None
        bills |= {value: single} if single is not None else {}
    return bills


def _single(transport: Transport, tenant_id: str, column: str, value: str) -> Bill | None:
    route = "/v1/invoices/{id}"
    query = (("administration_id", tenant_id), ("identifier_type", column))
    call = Call("GET", f"/v1/invoices/{segment(value)}", route, query)
    try:
        bill = transport.read(call, lambda reply: parsed(reply, _read_bill, provider=NAME, place=f"GET {route}"))
    except ProviderError as error:
        if error.status == NOT_FOUND:
            return None
        raise
    return bill if getattr(bill, column) == value and str(bill.administration_id) == tenant_id else None


def _read_bill(body: bytes) -> Bill:
    return msgspec.json.decode(body, type=Bill)


def _named(
    rows: Iterator[msgspec.Raw], kind: type[R], tenant_id: str, columns: Sequence[str], values: Sequence[str]
) -> Iterator[R]:
    """Yield the administration's rows with one of these names; other rows are not read, so their faults do no harm."""
    place = f"GET a list of {kind.__name__.lower()}s"
    for raw in rows:
        fields = typed(raw, dict[str, msgspec.Raw], provider=NAME, place=place)
        if any(as_text(fields.get(column)) in values for column in columns):
            row = typed(raw, kind, provider=NAME, place=place)
            if str(row.administration_id) == tenant_id:
                yield row
