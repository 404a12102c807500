"""Totality's words for lists: `sort`, and `filter` in both of the provider's spellings."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias

from sandbox.world import Row

Keep: TypeAlias = Callable[[Row], bool]

BRACKETS = re.compile(r"filter\[(\w+)\]\[(\w+)\]")
DATES = frozenset({"eq", "gt", "gte", "lt", "lte", "ne", "neq", "nn", "null"})
UUIDS = frozenset({"eq", "ne", "neq", "nn", "null"})
TEXTS = frozenset({"eq", "in", "nin", "ne", "neq", "nn", "null", "se", "sw"})
NUMBERS = DATES | {"in", "nin"}


class InvalidError(Exception):
    """A parameter or field that is refused; `errors` maps its name to the reasons."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}")
        self.errors = {name: [reason]}


def chosen(rows: Sequence[Row], words: Sequence[tuple[str, str]]) -> list[Row]:
    """Return the rows the query's filters keep, in the order its `sort` asks for."""
    keeps, order = [], ""
    for name, value in words:
        bracket = BRACKETS.fullmatch(name)
        operator, colon, operand = value.partition(":")
        if bracket:
            keeps.append(_filter(bracket[1], bracket[2], value))
        elif name == "sort":
            order = value
        elif colon and operator in NUMBERS | TEXTS:
            keeps.append(_filter(name, operator, operand))
    kept = [row for row in rows if all(keep(row) for keep in keeps)]
    return _sorted(kept, order) if order else kept


def _sorted(rows: list[Row], order: str) -> list[Row]:
    """Sort by a field, `-` in front for descending; a `+` arrives as a blank."""
    name = order.lstrip("+- ")
    if rows and not any(name in row for row in rows):
        raise InvalidError("sort", f"{name} is not a field")

    def key(row: Row) -> tuple[bool, Any]:
        value = row.get(name)
        return value is not None, _comparable(name, value) if value is not None else 0

    return sorted(rows, key=key, reverse=order.startswith("-"))


def _filter(name: str, operator: str, text: str) -> Keep:
    """Return whether a row meets `field operator value`; which operators apply depends on the field."""
    allowed = _operators(name)
    if allowed is not None and operator not in allowed:
        raise InvalidError(f"filter[{name}]", f"does not take {operator}")
    if operator not in OPERATORS:
        raise InvalidError(f"filter[{name}]", f"{operator} is not an operator")
    wanted = [_operand(name, part) for part in text.split(",")] if operator in {"in", "nin"} else _operand(name, text)
    compare = OPERATORS[operator]

    def keep(row: Row) -> bool:
        value = row.get(name)
        return compare(None if value is None else _comparable(name, value), wanted)

    return keep


def _operators(name: str) -> frozenset[str] | None:
    if name.endswith(("At", "On", "Date")):
        return DATES
    return UUIDS if name.lower().endswith("uuid") else None


def _operand(name: str, text: str) -> Any:
    if _operators(name) is DATES and text:
        try:
            return instant(text)
        except ValueError:
            raise InvalidError(f"filter[{name}]", "is not an ISO 8601 date") from None
    return text


def _comparable(name: str, value: Any) -> Any:
    if _operators(name) is DATES:
        return instant(str(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


@lru_cache(maxsize=1 << 16)
def instant(text: str) -> datetime:
    """Return an ISO 8601 date or timestamp as an aware instant; without a zone it is UTC."""
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _same(value: Any, wanted: Any) -> bool:
    return bool(value == wanted or str(value) == wanted)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(value: Any, wanted: Any) -> bool:
        if value is None:
            return False
        if isinstance(value, int):
            return wanted.lstrip("-").isdigit() and compare(value, int(wanted))
        return compare(value, wanted)

    return test


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _same,
    "ne": lambda value, wanted: not _same(value, wanted),
    "neq": lambda value, wanted: not _same(value, wanted),
    "gt": _ordered(lambda value, wanted: bool(value > wanted)),
    "gte": _ordered(lambda value, wanted: bool(value >= wanted)),
    "lt": _ordered(lambda value, wanted: bool(value < wanted)),
    "lte": _ordered(lambda value, wanted: bool(value <= wanted)),
    "in": lambda value, wanted: any(_same(value, item) for item in wanted),
    "nin": lambda value, wanted: not any(_same(value, item) for item in wanted),
    "nn": lambda value, _wanted: value is not None,
    "null": lambda value, _wanted: value is None,
    "sw": lambda value, wanted: isinstance(value, str) and value.startswith(wanted),
    "se": lambda value, wanted: isinstance(value, str) and value.endswith(wanted),
}
