"""Read the file of a create call: one JSON object, a list of them, or a CSV with one change a line."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows.errors import UsageError
from flows.given import Line, read_table, read_text, unclear_number
from providers.checking import Field, Rule, unknown

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_PAIR = re.compile(r"(\d{4}-\d{2}-\d{2})[ :=]+([\d.,]+)", re.ASCII)
_BETWEEN = re.compile(r"[;\r\n]+")


@dataclass(frozen=True, slots=True)
class Given:
    """One body of a file, and where it stands there: `line 4`, `entry 2`."""

    place: str
    body: dict[str, Any]


def read_changes(file: Path, fields: Mapping[str, Field]) -> list[Given]:
    """Return the bodies in a file, in its order; numbers are exact. `fields` are those that a body may have.

    In a CSV a cell of several texts has semicolons or lines between them; one of dates with amounts reads
    `2026-01-31 100.00; 2026-02-28 50.00`, or has each on a line of its own.

    Raises:
        UsageError: the file cannot be read, is empty, or a line or cell makes no sense; the message names it.
    """
    bodies = _from_csv(file, fields) if file.suffix.lower() == ".csv" else _from_json(file)
    if not bodies:
        raise UsageError(
            f"{str(file)!r} holds no change; write a JSON object or a list of them, or a CSV with a line for each"
        )
    return bodies


def _from_json(file: Path) -> list[Given]:
    text = read_text(file)
    try:
        given = json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{str(file)!r} is no JSON: {error}; correct it") from error
    bodies = given if isinstance(given, list) else [given]
    for number, body in enumerate(bodies, 1):
        if not isinstance(body, dict):
            raise UsageError(f"{str(file)!r}: entry {number} is no JSON object; give one object or a list of them")
    return [Given(f"{str(file)!r} entry {number}", body) for number, body in enumerate(bodies, 1)]


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} stands twice in one object")
        found[name] = value
    return found


def _from_csv(file: Path, fields: Mapping[str, Field]) -> list[Given]:
    names = list(fields)
    lines = read_table(file, names)
    strange = [name for name in dict.fromkeys(name for line in lines for name in line.cells) if name not in names]
    if strange:
        raise UsageError(f"{str(file)!r} line 1: {'; '.join(unknown('', name, names) for name in strange)}; correct it")
    return [Given(line.place, _body(line, fields)) for line in lines]


def _body(line: Line, fields: Mapping[str, Field]) -> dict[str, Any]:
    return {name: _value(name, cell, line.place, fields[name].rule) for name, cell in line.cells.items()}


def _value(name: str, cell: str, place: str, rule: Rule) -> Any:
    if rule.holds == "entries":
        return _dated(name, cell, place, rule)
    if rule.holds == "texts":
        return [part.strip() for part in _BETWEEN.split(cell) if part.strip()]
    if rule.holds == "text":
        return cell
    if cell.casefold() in {"true", "false"}:
        return cell.casefold() == "true"
    if cell[:1] in "{[":
        return _literal(name, cell, place)
    return _number(name, cell, place)


def _literal(name: str, cell: str, place: str) -> Any:
    try:
        return json.loads(cell, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place}: {name} is no JSON: {error}; correct it") from error


def _number(name: str, cell: str, place: str) -> int | Decimal:
    if why := unclear_number(cell):
        raise UsageError(f"{place}: {name} is {cell!r}, with {why}")
    if not _NUMBER.fullmatch(cell):
        raise UsageError(f"{place}: {name} is {cell!r}; give a number, true or false")
    return Decimal(cell) if "." in cell else int(cell)


def _dated(name: str, cell: str, place: str, rule: Rule) -> list[dict[str, Any]]:
    if cell.startswith("["):
        entries: list[dict[str, Any]] = _literal(name, cell, place)
        return entries
    # An entry holds a day, which is a text, and an amount, which is not.
    day, amount = sorted(rule.parts, key=lambda part: rule.parts[part].rule.holds != "text")
    found = []
    for part in filter(None, (part.strip() for part in _BETWEEN.split(cell))):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            raise UsageError(
                f"{place}: {name} holds {part!r}; write days with amounts: 2026-01-31 100.00; 2026-02-28 50.00"
            )
        found.append({day: pair[1], amount: _number(name, pair[2], place)})
    return found
