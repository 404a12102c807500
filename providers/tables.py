"""Received tables: which columns a provider fills, and how values become columns.

A column keeps what the provider said: text stays text, ids become text whatever they were,
a number that is money keeps its digits. Values are not rounded, converted to a zone or judged.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from itertools import chain, repeat
from operator import attrgetter
from typing import TypeVar

from msgspec import UNSET, Raw

T = TypeVar("T")
Column = list[object]

_PLAIN = re.compile(rb"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_SCIENTIFIC = re.compile(rb"-?[0-9]{1,40}(\.[0-9]{1,40})?[eE][+-]?[0-9]{1,2}")
_NO_DATE = "0001-01-01"


class Kind(Enum):
    """How a field becomes a column: the column's type, and a word for the reading."""

    ID = ("text", "id")
    LINK = ("text", "id, where 0 names nothing")
    MARK = ("text", "text, where empty means none")
    TEXT = ("text", "text")
    MOMENT = ("text", "date or timestamp, where the first day of year 1 means none")
    NUMBER = ("text", "number with every digit kept")
    BOOL = ("bool", "true or false")
    BIGINT = ("bigint", "whole number")


def columns(text: str) -> dict[str, Kind]:
    """Return columns from their names, each with `:kind` behind it unless it is text."""
    parts = (word.partition(":") for word in text.split())
    return {name: Kind[kind.upper()] if kind else Kind.TEXT for name, _, kind in parts}


PLACE: Mapping[str, str] = {"position": "bigint", "ordinal": "bigint"}
"""Every received table ends in these: the top-level row's place in the page, the child's place in it."""

HASH: Mapping[str, str] = {"row_hash": "text"}
"""The SHA-256 of a row at the top of its page."""


@dataclass(frozen=True, slots=True)
class Table:
    """One received table. Columns bear the attribute names of the struct they are read from.

    `given` are columns that come from elsewhere than the struct: from the row around, as `parent` says of the column
    and that row's attribute; from a row that is a value and no object, as `itself` names it; else from the page's context.
    The rows of a table that `is_child` stand within another row of their page: `within` are the attributes
    that lead to them, step by step; a step may name two, a single row and a list of more.
    """

    name: str
    columns: Mapping[str, Kind]
    given: tuple[str, ...] = ()
    is_child: bool = False
    within: tuple[str, ...] = ()
    parent: Mapping[str, tuple[str, Kind]] = field(default_factory=dict)
    itself: str = ""

    def types(self) -> dict[str, str]:
        """Return each column's type, places included."""
        own = {name: kind.value[0] for name, kind in self.columns.items()}
        return {**dict.fromkeys(self.given, "text"), **own, **PLACE, **({} if self.is_child else HASH)}

    def empty(self) -> dict[str, Column]:
        """Return the table without rows."""
        return {name: [] for name in self.types()}


def number_text(raw: Raw | bytes) -> str | None:
    """Return a JSON number as plain decimal text with all its digits; None if it is no number of reasonable size."""
    text = bytes(raw)
    if _PLAIN.fullmatch(text):
        return text.decode()
    if _SCIENTIFIC.fullmatch(text):
        return format(Decimal(text.decode()), "f")
    return None


def is_null(raw: object) -> bool:
    """Tell whether the field is absent or null."""
    return raw is UNSET or raw is None or (isinstance(raw, Raw) and bytes(raw) == b"null")


def _known(values: Iterable[object]) -> Column:
    return [None if value is UNSET else value for value in values]


def _ids(values: Iterable[object]) -> Column:
    return [v if type(v) is str else None if v is UNSET or v is None else str(v) for v in values]


def _links(values: Iterable[object]) -> Column:
    return [None if text in {"0", ""} else text for text in _ids(values)]


def _marks(values: Iterable[object]) -> Column:
    return [None if v is UNSET or v == "" else v for v in values]


def _moments(values: Iterable[object]) -> Column:
    return [None if v is UNSET or v is None or str(v).startswith(_NO_DATE) else v for v in values]


def _numbers(values: Iterable[object]) -> Column:
    return [number_text(v) if isinstance(v, Raw) else None for v in values]


_READ: Mapping[Kind, Callable[[Iterable[object]], Column]] = {
    Kind.ID: _ids,
    Kind.LINK: _links,
    Kind.MARK: _marks,
    Kind.TEXT: _known,
    Kind.MOMENT: _moments,
    Kind.NUMBER: _numbers,
    Kind.BOOL: _known,
    Kind.BIGINT: _known,
}


@dataclass(frozen=True, slots=True)
class Places:
    """Where the rows at the top of a page stand in it, and the hash of each; null where it was not taken."""

    positions: Sequence[int]
    hashes: Sequence[str | None]


def tabulate(
    tables: Iterable[Table], rows: Sequence[object], places: Places, given: Mapping[str, str | None]
) -> dict[str, dict[str, Column]]:
    """Return the columns of every table that the rows of a page fill; `given` are the values of the page.

    {"id": 7, "payment_terms": [{"id": 1, "due_date": "2026-01-31"}]} is

        payt__payment_plans   id "7", position 0
        payt__payment_terms   plan_id "7", id "1", due_date "2026-01-31", position 0, ordinal 0
    """
    return {table.name: _filled(table, rows, places, given) for table in tables}


def _filled(table: Table, rows: Sequence[object], places: Places, given: Mapping[str, str | None]) -> dict[str, Column]:
    nested, around, counts = _nested(table, rows)
    own = list(chain.from_iterable(nested))
    filled: dict[str, Column] = {}
    for name in table.given:
        if name == table.itself:
            filled[name] = _ids(own)
        elif name in table.parent:
            attribute, kind = table.parent[name]
            filled[name] = _spread(_READ[kind](map(attrgetter(attribute), around)), counts)
        else:
            filled[name] = [given.get(name)] * len(own)
    for name, kind in table.columns.items():
        filled[name] = _READ[kind](map(attrgetter(name), own))
    in_row = list(map(len, nested))
    filled["position"] = _spread(places.positions, in_row)
    filled["ordinal"] = list(chain.from_iterable(map(range, in_row)))
    if not table.is_child:
        filled["row_hash"] = list(places.hashes)
    return filled


def _nested(table: Table, rows: Sequence[object]) -> tuple[list[list[object]], list[object], list[int]]:
    """Return the table's rows within each row of the page, the rows right around them, and how many each of these holds."""
    nested = [[row] for row in rows]
    around: list[object] = []
    counts: list[int] = []
    for step in table.within:
        names = step.split()
        held = [[_held(row, names) for row in of_one] for of_one in nested]
        around = list(chain.from_iterable(nested))
        counts = list(map(len, chain.from_iterable(held)))
        nested = [list(chain.from_iterable(of_one)) for of_one in held]
    return nested, around, counts


def _held(row: object, names: Iterable[str]) -> list[object]:
    """Return what a row holds in these fields, a single row or a list of rows in each."""
    held: list[object] = []
    for name in names:
        value = getattr(row, name)
        if isinstance(value, list):
            held += value
        elif not is_null(value):
            held.append(value)
    return held


def _spread(values: Iterable[T], counts: Iterable[int]) -> list[T]:
    """Return each value as often as its count says."""
    return list(chain.from_iterable(map(repeat, values, counts)))
