"""PayIQ's pages as columns: the envelope opened, nested models flattened."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec
from msgspec import Raw

from providers.base import Decoded
from providers.outline import Outline, decode_page
from providers.payiq.rows import SHAPES, TABLES
from providers.tables import Column

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
_TABLES: Mapping[str, tuple[str, ...]] = {
    "setup": ("setups", "setup_accounts", "pending_payments", "setup_tiers"),
    "plan": ("plans", "plan_payments", "plan_accounts"),
    "payments": ("payments", "invoice_payments"),
    "invoices": ("invoices",),
}


def decode(entity: str, body: bytes, context: Mapping[str, str]) -> Decoded:
    """Return one page as columns of the received tables; what cannot be read is in the rejects."""
    return decode_page(OUTLINES[entity], body, context)


OUTLINES: Mapping[str, Outline] = {
    entity: Outline(
        SHAPES[entity],
        tuple(TABLES[name] for name in _TABLES[entity]),
        lambda body, _, cut=cut: cut(body),  # type: ignore[misc]  # bound now, not when it is called
        must_be="Result" if entity in {"setup", "plan"} else "",
        named_by=("payment_plan_id", "reference_number"),
    )
    for entity, cut in _CUT.items()
}
