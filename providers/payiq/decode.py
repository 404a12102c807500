"""PayIQ's pages as columns: the envelope opened, nested models flattened."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

from providers.base import Decoded
from providers.pages import read_page, refused_page
from providers.payiq.rows import SHAPES, TABLES, Account, Payment, Pending, Plan, Setup
from providers.rows import Fault, Reading
from providers.tables import Column, Places, Table, fill, spread
from providers.whole import Outline

Columns: TypeAlias = dict[str, Column]


class Envelope(msgspec.Struct, rename="pascal"):
    """What every answer is wrapped in. `Success` and the error code decide, not the HTTP status."""

    success: bool
    result: Raw = Raw(b"null")
    error_code: str | int | None = None
    error_id: str | None = msgspec.field(name="ErrorID", default=None)

    def failed(self) -> bool:
        """Tell whether the call did not succeed, whatever its HTTP status."""
        return not self.success or self.error_code not in {None, "None", "", 0}

    def rows(self) -> list[Raw]:
        """Return the rows of a list; null is an empty list."""
        return msgspec.json.decode(self.result, type=list[Raw] | None) or []


class BusinessError(msgspec.ValidationError):
    """An envelope that says no."""


def open_envelope(body: bytes) -> Envelope:
    """Return the envelope around a result."""
    return msgspec.json.decode(body, type=Envelope)


def _result(body: bytes) -> list[Raw]:
    envelope = _good(body)
    return [] if bytes(envelope.result) == b"null" else [envelope.result]


def _results(body: bytes) -> list[Raw]:
    return _good(body).rows()


def _good(body: bytes) -> Envelope:
    envelope = open_envelope(body)
    if envelope.failed():
        raise BusinessError("the envelope says the call failed")
    return envelope


_CUT: Mapping[str, Callable[[bytes], list[Raw]]] = {
    "setup": _result,
    "plan": _result,
    "payments": _results,
    "invoices": _results,
}
_FILLED: Mapping[str, tuple[str, ...]] = {
    "setup": ("setups", "setup_accounts", "pending_payments", "setup_tiers"),
    "plan": ("plans", "plan_payments", "plan_accounts"),
    "payments": ("payments", "invoice_payments"),
    "invoices": ("invoices",),
}


def decode(entity: str, body: bytes, context: Mapping[str, str]) -> Decoded:
    """Return one page as columns of the received tables; what cannot be read is in the rejects."""
    tables = [TABLES[name] for name in _FILLED[entity]]
    asked_for = context.get("payment_plan_id") or context.get("reference_number")
    reading = read_page(body, _CUT[entity], SHAPES[entity], context)
    if isinstance(reading, Fault):
        return refused_page(reading, tables, asked_for)
    if entity in {"setup", "plan"} and reading.total == 0:
        return refused_page(Fault("MISSING_FIELD", "Result", "Result: required and null"), tables, asked_for)
    columns = {table.name: filled for table, filled in zip(tables, _FLAT[entity](reading, context), strict=True)}
    return Decoded(columns, reading.rejects, reading.total, reading.unknown, reading.carried)


def _asked(context: Mapping[str, str], rows: int) -> dict[str, Sequence[object]]:
    names = ("reference_number", "other_data", "account_key")
    return {name: [context.get(name)] * rows for name in names}


def _children(
    table: Table, nested: Sequence[Sequence[object]], places: Places, given: Mapping[str, Iterable[object]]
) -> Columns:
    """Return the rows nested in each row; `given` has one value per parent, repeated for its children."""
    counts = list(map(len, nested))
    repeated = {name: spread(values, counts) for name, values in given.items()}
    return fill(table, list(chain.from_iterable(nested)), places.of_children(counts), repeated)


def _setups(reading: Reading[Setup], context: Mapping[str, str]) -> list[Columns]:
    rows, places, asked = reading.rows, reading.places, _asked(context, len(reading.rows))
    accounts = [row.accounts or [] for row in rows]
    return [
        fill(TABLES["setups"], rows, places, asked),
        _children(TABLES["setup_accounts"], accounts, places, asked),
        _pending(accounts, places),
        _children(TABLES["setup_tiers"], [row.tiers or [] for row in rows], places, asked),
    ]


def _pending(accounts: Sequence[Sequence[Account]], places: Places) -> Columns:
    pairs: list[list[tuple[Account, Pending]]] = [
        [(account, pending) for account in of_one for pending in account.pending()] for of_one in accounts
    ]
    flat = list(chain.from_iterable(pairs))
    given: dict[str, Sequence[object]] = {
        "account_id": [str(account.account_id) for account, _ in flat],
        "currency_symbol": [account.currency_symbol or None for account, _ in flat],
    }
    counts = list(map(len, pairs))
    return fill(TABLES["pending_payments"], [pending for _, pending in flat], places.of_children(counts), given)


def _plans(reading: Reading[Plan], context: Mapping[str, str]) -> list[Columns]:
    rows, places = reading.rows, reading.places
    ids = {"payment_plan_id": [str(row.payment_plan_id) for row in rows]}
    return [
        fill(TABLES["plans"], rows, places, _asked(context, len(rows))),
        _children(TABLES["plan_payments"], [row.payments or [] for row in rows], places, ids),
        _children(TABLES["plan_accounts"], [row.billing_accounts or [] for row in rows], places, ids),
    ]


def _payments(reading: Reading[Payment], context: Mapping[str, str]) -> list[Columns]:
    rows, places = reading.rows, reading.places
    ids = {"payment_id": [str(row.id) for row in rows]}
    return [
        fill(TABLES["payments"], rows, places, _asked(context, len(rows))),
        _children(TABLES["invoice_payments"], [row.invoice_payments or [] for row in rows], places, ids),
    ]


def _invoices(reading: Reading[Any], _context: Mapping[str, str]) -> list[Columns]:
    return [fill(TABLES["invoices"], reading.rows, reading.places)]


_FLAT: Mapping[str, Callable[[Reading[Any], Mapping[str, str]], list[Columns]]] = {
    "setup": _setups,
    "plan": _plans,
    "payments": _payments,
    "invoices": _invoices,
}
OUTLINES: Mapping[str, Outline] = {
    entity: Outline(
        SHAPES[entity],
        tuple(TABLES[name] for name in _FILLED[entity]),
        lambda body, _, cut=cut: cut(body),  # type: ignore[misc]  # bound now, not when it is called
        must_have_rows=entity in {"setup", "plan"},
    )
    for entity, cut in _CUT.items()
}
