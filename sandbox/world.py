"""What the three sandboxed providers know: the rows they serve, in each provider's own shape.

A world is plain data: dicts with the provider's field names, and money as that
provider writes it (Payt decimal text, Totality integer cents, PayIQ exact
decimals). The servers read it live, so a test may change it between two
requests. Nothing here speaks HTTP or invents rows; scenarios do the latter.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

PROVIDERS = ("payt", "totality", "payiq")
"""The providers that are served, in the order of their ports."""

Row: TypeAlias = dict[str, Any]
AccountKey: TypeAlias = tuple[str, str, str]
"""PayIQ's name of one account: customer token, reference number, other data."""

PAYT_LISTS = (
    "administrations",
    "payment_plans",
    "payments",
    "psp_transactions",
    "invoices",
    "credit_cases",
    "debtors",
)
PAYT_DELETED = ("payment_plans", "payments", "invoices", "credit_cases")
TOTALITY_LISTS = ("loans", "payment_plans", "scheduled_payments", "payments")


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text that goes into a JSON answer as it stands, without quotes.

    For what no Python value spells: `Verbatim("1.20e1")`, `Verbatim("NaN")`, half
    an object.
    """

    text: str


def _no_deletions() -> dict[str, list[Row]]:
    return {kind: [] for kind in PAYT_DELETED}


@dataclass(slots=True)
class PaytWorld:
    """Rows of Payt. Lists are served in the order they stand in.

    `deleted` holds per kind the rows `{id, administration_id, deleted_at, …}` of
    the `/deleted` lists; a deleted row must also be gone from its own list.
    """

    administrations: list[Row] = field(default_factory=list)
    payment_plans: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    psp_transactions: list[Row] = field(default_factory=list)
    invoices: list[Row] = field(default_factory=list)
    credit_cases: list[Row] = field(default_factory=list)
    debtors: list[Row] = field(default_factory=list)
    deleted: dict[str, list[Row]] = field(default_factory=_no_deletions)


@dataclass(slots=True)
class TotalityWorld:
    """Rows of Totality.

    `holidays` are the ISO dates the plan generator shifts away from;
    `allow_only_single_payment_plan` is the lender's setting.
    """

    loans: list[Row] = field(default_factory=list)
    payment_plans: list[Row] = field(default_factory=list)
    scheduled_payments: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    holidays: list[str] = field(default_factory=list)
    allow_only_single_payment_plan: bool = False


@dataclass(slots=True)
class PayIQWorld:
    """Rows of PayIQ, per account; plans by `PaymentPlanID`.

    `setups` maps an account to the `Result` of its Setup call. An account that
    has a setup exists; `payments` and `invoices` may leave it out.
    """

    setups: dict[AccountKey, Row] = field(default_factory=dict)
    plans: dict[int, Row] = field(default_factory=dict)
    payments: dict[AccountKey, list[Row]] = field(default_factory=dict)
    invoices: dict[AccountKey, list[Row]] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    """Everything the sandbox serves, and the providers' clock.

    `clock` is the instant the providers believe it is (ISO 8601, UTC); None
    follows the machine. Keep it after the newest `updated_at` of the world, or
    an incremental reader sees rows from its future. Change rows inside
    `with world.changing():` while servers run.
    """

    payt: PaytWorld = field(default_factory=PaytWorld)
    totality: TotalityWorld = field(default_factory=TotalityWorld)
    payiq: PayIQWorld = field(default_factory=PayIQWorld)
    clock: str | None = None
    version: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    def now(self) -> datetime:
        """Return the providers' present instant, aware and in UTC."""
        if self.clock is None:
            return datetime.now(UTC)
        return datetime.fromisoformat(self.clock).astimezone(UTC)

    @contextmanager
    def changing(self) -> Iterator["World"]:
        """Hold every server off while rows are changed, and drop what was cached."""
        with self.lock:
            yield self
            self.version += 1

    def to_json(self) -> str:
        """Return the world as one JSON object, decimals digit for digit."""
        return dumps(self.to_dict())

    def to_dict(self) -> Row:
        """Return the world as plain JSON-shaped data; PayIQ's keys become fields."""
        return {
            "clock": self.clock,
            "payt": {name: getattr(self.payt, name) for name in (*PAYT_LISTS, "deleted")},
            "totality": {
                name: getattr(self.totality, name)
                for name in (*TOTALITY_LISTS, "holidays", "allow_only_single_payment_plan")
            },
            "payiq": {
                "setups": [_account(key) | {"result": row} for key, row in self.payiq.setups.items()],
                "plans": list(self.payiq.plans.values()),
                "payments": [_account(key) | {"rows": rows} for key, rows in self.payiq.payments.items()],
                "invoices": [_account(key) | {"rows": rows} for key, rows in self.payiq.invoices.items()],
            },
        }

    @classmethod
    def from_json(cls, text: str | bytes) -> "World":
        """Return the world a `to_json` text describes; fractions are read as `Decimal`."""
        return cls.from_dict(json.loads(text, parse_float=Decimal))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "World":
        """Return the world `to_dict` describes; whatever is left out is empty."""
        payt, payiq = dict(data.get("payt", {})), data.get("payiq", {})
        payt["deleted"] = _no_deletions() | payt.get("deleted", {})
        return cls(
            payt=PaytWorld(**payt),
            totality=TotalityWorld(**data.get("totality", {})),
            payiq=PayIQWorld(
                setups={_key(item): item["result"] for item in payiq.get("setups", [])},
                plans={row["PaymentPlanID"]: row for row in payiq.get("plans", [])},
                payments={_key(item): item["rows"] for item in payiq.get("payments", [])},
                invoices={_key(item): item["rows"] for item in payiq.get("invoices", [])},
            ),
            clock=data.get("clock"),
        )


def _account(key: AccountKey) -> Row:
    return {"customer_token": key[0], "reference_number": key[1], "other_data": key[2]}


def _key(item: Mapping[str, Any]) -> AccountKey:
    return item["customer_token"], item["reference_number"], item.get("other_data", "")


_MARK = "\ue000verbatim\ue001"
_MARKED = re.compile(rf'"{_MARK}((?:[^"\\]|\\.)*)"')


def dumps(value: object) -> str:
    """Return JSON text; decimals become numbers with exactly their own digits."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_marked)
    return _MARKED.sub(_unmarked, text) if _MARK in text else text


def _marked(value: object) -> str:
    """Return what the encoder cannot write as a marked string, to be laid bare afterwards."""
    if isinstance(value, Decimal):
        return _MARK + format(value, "f")
    if isinstance(value, Verbatim):
        return _MARK + value.text
    raise TypeError(f"{type(value).__name__} is not JSON: use text, int, Decimal, a list or a dict")


def _unmarked(match: re.Match[str]) -> str:
    inner = match.group(1)
    return str(json.loads(f'"{inner}"')) if "\\" in inner else inner
