"""Payt's lists: which there are, what they can be filtered by, which fields they show.

All of it is from the OpenAPI file behind Payt's reference.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, TypeAlias

from sandbox.world import PaytWorld, Row

Keep: TypeAlias = Callable[[Row], bool]
Filter: TypeAlias = Callable[[str, PaytWorld], Keep]


class BadParameterError(Exception):
    """A query parameter that cannot be understood; the message names it."""


@lru_cache(maxsize=1 << 16)
def instant(text: str) -> datetime:
    """Return an ISO 8601 date or timestamp as an aware instant; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def instant_of(name: str, text: str) -> datetime:
    """Return the instant a parameter names."""
    try:
        return instant(text)
    except ValueError:
        raise BadParameterError(f"{name} is not an ISO 8601 timestamp") from None


def own(column: str) -> Filter:
    """Return a filter on a comma list of values of the row's own column."""

    def prepare(text: str, _world: PaytWorld) -> Keep:
        wanted = set(text.split(","))
        return lambda row: str(row.get(column)) in wanted

    return prepare


def through(reference: str, parents: str, column: str) -> Filter:
    """Return a filter on a column of the row's parent: its debtor, invoice or case."""

    def prepare(text: str, world: PaytWorld) -> Keep:
        wanted = set(text.split(","))
        rows: Iterable[Row] = getattr(world, parents)
        ids = {str(row["id"]) for row in rows if str(row.get(column)) in wanted}
        return lambda row: str(row.get(reference)) in ids

    return prepare


def by_case(column: str) -> Filter:
    """Return a filter of payments by the credit case their invoice is in."""

    def prepare(text: str, world: PaytWorld) -> Keep:
        wanted = set(text.split(","))
        cases = {str(row["id"]) for row in world.credit_cases if str(row.get(column)) in wanted}
        invoices = {str(row["id"]) for row in world.invoices if str(row.get("active_credit_case_id")) in cases}
        return lambda row: str(row.get("invoice_id")) in invoices

    return prepare


def amount(column: str, *, at_least: bool) -> Filter:
    """Return a filter on a bound of an amount."""

    def prepare(text: str, _world: PaytWorld) -> Keep:
        try:
            bound = Decimal(text)
        except InvalidOperation:
            raise BadParameterError(f"the bound on {column} is not a number") from None
        return lambda row: Decimal(row[column]) >= bound if at_least else Decimal(row[column]) <= bound

    return prepare


def paid(text: str, _world: PaytWorld) -> Keep:
    """Keep invoices with nothing open, or with `false` those with something."""
    if text not in {"true", "false"}:
        raise BadParameterError("paid is neither true nor false")
    return lambda row: (Decimal(row["open_amount"]) == 0) is (text == "true")


DEBTOR_FILTERS: dict[str, Filter] = {
    "debtor_numbers": through("debtor_id", "debtors", "debtor_number"),
    "debtor_identifiers": through("debtor_id", "debtors", "debtor_identifier"),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One list call: the row fields shown only on request, and its filters besides `ids`."""

    name: str
    hidden: frozenset[str] = frozenset()
    filters: Mapping[str, Filter] = field(default_factory=dict)
    has_single: bool = True

    @property
    def scope(self) -> str:
        """Return the scope a token needs to read it; only some of these names are documented."""
        return f"{self.name}:read"


LISTINGS = {
    listing.name: listing
    for listing in (
        Listing("administrations", frozenset({"last_successful_import_at"})),
        Listing("payment_plans", frozenset({"public_url"}), DEBTOR_FILTERS),
        Listing(
            "payments",
            frozenset({"psp_transaction", "bank_transaction"}),
            {
                "invoice_identifiers": through("invoice_id", "invoices", "invoice_identifier"),
                "invoice_numbers": through("invoice_id", "invoices", "invoice_number"),
                "credit_case_ids": by_case("id"),
                "credit_case_numbers": by_case("credit_case_number"),
            },
            has_single=False,
        ),
        Listing("psp_transactions", filters={"payment_methods": own("payment_method"), "statuses": own("status")}),
        Listing(
            "invoices",
            filters={
                "paid": paid,
                "book_amount_total_lte": amount("book_total_amount", at_least=False),
                "book_amount_total_gte": amount("book_total_amount", at_least=True),
                "invoice_numbers": own("invoice_number"),
                "invoice_identifiers": own("invoice_identifier"),
                "debtor_ids": own("debtor_id"),
                "credit_case_ids": own("active_credit_case_id"),
                **DEBTOR_FILTERS,
            },
        ),
        Listing("credit_cases"),
        Listing(
            "debtors",
            frozenset({"book_open_amount", "payment_behaviour", "labels"}),
            {"debtor_numbers": own("debtor_number"), "debtor_identifiers": own("debtor_identifier")},
        ),
    )
}
ORDERS = {
    f"{column}_{way}": (column, way == "desc") for column in ("invoice_date", "due_date") for way in ("asc", "desc")
}


def only(text: str | None) -> list[Any] | None:
    """Return the wanted fields of a `fields` parameter, `{"only": ["a", {"b": ["c"]}]}`; None for the default ones."""
    if not text:
        return None
    try:
        wanted = json.loads(text)["only"]
    except (ValueError, KeyError, TypeError):
        raise BadParameterError('fields is not a JSON object with the key "only"') from None
    if not isinstance(wanted, list):
        raise BadParameterError("fields.only is not a list")
    return wanted


def shown(row: Row, listing: Listing, wanted: list[Any] | None) -> Row:
    """Return the row with the fields asked for, or without the hidden ones."""
    if wanted is not None:
        return _picked(row, wanted)
    if listing.hidden.isdisjoint(row):
        return row
    return {name: value for name, value in row.items() if name not in listing.hidden}


def _picked(row: Row, wanted: list[Any]) -> Row:
    picked: Row = {}
    for item in wanted:
        inner = item if isinstance(item, dict) else {str(item): None}
        for name, names in inner.items():
            if name in row:
                picked[name] = row[name] if names is None else _within(row[name], names)
    return picked


def _within(value: Any, names: list[Any]) -> Any:
    if isinstance(value, list):
        return [_within(item, names) for item in value]
    return _picked(value, names) if isinstance(value, dict) else value


def with_integer_ids(value: Any) -> Any:
    """Return the row with every id of digits only as an integer, nested rows too."""
    if isinstance(value, list):
        return [with_integer_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: integer(item) if name == "id" or name.endswith(("_id", "_ids")) else with_integer_ids(item)
        for name, item in value.items()
    }


def integer(value: Any) -> Any:
    """Return digits as an integer, in a list too; anything else as it is."""
    if isinstance(value, list):
        return [integer(item) for item in value]
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
