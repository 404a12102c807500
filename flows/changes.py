"""Reads the file of a create call: one JSON object, a list of them, or a CSV with one change a line."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows.errors import UsageError

TEXTS = frozenset(
    {
        "administration_id",
        "cc_email_address",
        "contactMethod",
        "firstPaymentDate",
        "loanUuid",
        "paymentArrangementType",
        "paymentFrequency",
        "scheduleType",
        "weekdayOfFirstPayment",
        "weekdayOfSecondPayment",
        "CustomerToken",
        "DateToStart",
        "DayType",
        "OtherData",
        "PaymentAccountToken",
        "PaymentName",
        "ReferenceNumber",
    }
)
"""Fields that stay text though they may look like numbers."""

LISTS = frozenset({"invoice_numbers", "invoice_identifiers", "credit_case_numbers"})
"""Fields whose cell holds several texts, separated by semicolons."""

DATED = {"terms": ("due_date", "amount"), "schedule": ("date", "amount"), "Payments": ("Date", "Amount")}
"""Fields whose cell holds dates with amounts: `2026-01-31 100.00; 2026-02-28 50.00`."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_PAIR = re.compile(r"(\d{4}-\d{2}-\d{2})[ :=]+(\d+(?:\.\d+)?)")


def read_changes(file: Path) -> list[dict[str, Any]]:
    """Return the bodies in a file, in its order; numbers are exact.

    Raises:
        UsageError: the file cannot be read, is empty, or a line or cell makes no sense; the message names it.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(file)!r} cannot be read ({error}); give a JSON or CSV file") from error
    bodies = _from_csv(text, file) if file.suffix.lower() == ".csv" else _from_json(text, file)
    if not bodies:
        raise UsageError(f"{str(file)!r} holds no change")
    return bodies


def _from_json(text: str, file: Path) -> list[dict[str, Any]]:
    try:
        given = json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{str(file)!r} is no JSON: {error}") from error
    bodies = given if isinstance(given, list) else [given]
    for number, body in enumerate(bodies, 1):
        if not isinstance(body, dict):
            raise UsageError(f"{str(file)!r}: entry {number} is no JSON object; give one object or a list of them")
    return bodies


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} stands twice in one object")
        found[name] = value
    return found


def _from_csv(text: str, file: Path) -> list[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        _check_header(rows.fieldnames or (), file)
        return [_body(row, f"{str(file)!r} line {rows.line_num}") for row in rows]
    except csv.Error as error:
        raise UsageError(f"{str(file)!r} line {rows.line_num} is no CSV: {error}") from error


def _check_header(names: Sequence[str], file: Path) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"{str(file)!r} line 1: {twice[0]} stands twice; leave one of the columns")
    if "" in names:
        raise UsageError(f"{str(file)!r} line 1: a column has no name")


def _body(row: Mapping[str | None, Any], place: str) -> dict[str, Any]:
    if None in row or None in row.values():
        raise UsageError(f"{place} has another number of cells than the header")
    return {str(name): _value(str(name), cell.strip(), place) for name, cell in row.items() if cell.strip()}


def _value(name: str, cell: str, place: str) -> Any:
    if name in DATED:
        return _dated(name, cell, place)
    if name in LISTS:
        return [part.strip() for part in cell.split(";") if part.strip()]
    if name in TEXTS:
        return cell
    if cell in {"true", "false"}:
        return cell == "true"
    if cell[:1] in "{[":
        return _literal(name, cell, place)
    return _number(name, cell, place)


def _literal(name: str, cell: str, place: str) -> Any:
    try:
        return json.loads(cell, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place}: {name} is no JSON: {error}") from error


def _number(name: str, cell: str, place: str) -> int | Decimal:
    if not _NUMBER.fullmatch(cell):
        raise UsageError(f"{place}: {name} is {cell!r}; give a number, true or false")
    return Decimal(cell) if "." in cell else int(cell)


def _dated(name: str, cell: str, place: str) -> list[dict[str, Any]]:
    if cell.startswith("["):
        entries: list[dict[str, Any]] = _literal(name, cell, place)
        return entries
    day, amount = DATED[name]
    found = []
    for part in filter(None, (part.strip() for part in cell.split(";"))):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            raise UsageError(
                f"{place}: {name} holds {part!r}; write days with amounts: 2026-01-31 100.00; 2026-02-28 50.00"
            )
        found.append({day: pair[1], amount: _number(name, pair[2], place)})
    return found
