"""Pack what a later process needs to send a change again or to look for it, and hash both."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from providers.writing import Before, Order, Wanted

_EXACT = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def pack(wanted: Wanted, before: Before) -> bytes:
    """Return both as bytes; amounts keep their digits."""
    return _EXACT.encode({"wanted": wanted, "before": before})


def unpack(body: bytes) -> tuple[Wanted, Before]:
    """Return what `pack` was given."""
    fields = _exact(body)
    return msgspec.convert(fields["wanted"], Wanted), msgspec.convert(fields["before"], Before)


def exact_json(value: object) -> str:
    """Return a body as JSON; amounts keep their digits."""
    return _EXACT.encode(value).decode()


def request_sha256(order: Order) -> str:
    """Return the hash of what would be sent: equal requests have equal hashes, by any person at any time."""
    return _hash(replace(order, terms=()))


def key_of(order: Order) -> str:
    """Return a key that equal changes share: same provider, tenant, operation and plan, in create and update an equal body."""
    body = _canonical(order.body) if order.operation in {"create", "update"} else None
    if order.operation == "create" and isinstance(body, dict):  # in an update a null takes something away
        body = {name: value for name, value in body.items() if value is not None}
    return _hash([order.provider, order.operation, order.tenant_id, order.plan_id, order.path, body])


def state_sha256(before: Before, ours: frozenset[str] = frozenset()) -> str:
    """Return the hash of what the provider showed, without its clock: it differs once a relevant fact has changed.

    `ours` are plans that we made ourselves: they do not count.
    """
    others = sorted(set(before.plan_ids) - ours)
    return _hash([before.plan, before.owner, others, before.removes, before.total, before.objections])


def preview_sha256(order: Order, before: Before) -> str:
    """Return the hash of request and state together: what a person has seen and approves."""
    return _hash([request_sha256(order), state_sha256(before)])


def _canonical(value: Any) -> Any:
    """Return a body in one normal form: lists sorted, 100 and 100.00 alike."""
    if isinstance(value, Mapping):
        return {name: _canonical(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return sorted(map(_canonical, value), key=exact_json)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{Decimal(value).normalize():f}"
    return value


def _hash(value: object) -> str:
    return hashlib.sha256(_EXACT.encode(value)).hexdigest()


def _exact(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)
