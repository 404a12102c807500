"""One sheet of a workbook (XLSX) that people wrote in, as the lines of cells that a CSV gives, too.

Only what is shown is read: texts, numbers and truth values, of formulas their last result. What a cell means belongs
to who asks, so a date is a number of days here; `day` says which.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Context
from pathlib import Path
from xml.etree import ElementTree as ET

from flows.errors import UsageError
from flows.given import Line

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REFERS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_EPOCH = date(1899, 12, 30)
_MOST_BYTES = 200 * 2**20
"""More than any part of a workbook of ours unpacks to; a file that unpacks to more is not read."""
_ESCAPED = re.compile("_x([0-9a-fA-F]{4})_")
_DIGITS = Context(prec=15)
"""Digits a spreadsheet keeps of a number: what it writes beyond them is noise."""


def read_sheet(file: Path, sheet: str, *, required: Sequence[str] = ()) -> list[Line]:
    """Return the lines below the first of one sheet, cells by the names in that first line; empty cells are left out.

    Raises:
        UsageError: the file is no workbook, lacks the sheet, or the sheet a required column.
    """
    try:
        with zipfile.ZipFile(file) as book:
            shared = _shared(book)
            rows = list(_rows(_tree(book, _part(book, sheet, file)), shared))
    except (OSError, zipfile.BadZipFile, KeyError, ET.ParseError, ValueError, IndexError) as error:
        raise UsageError(f"{str(file)!r} cannot be read as a workbook ({error}); save it as XLSX, or as CSV") from error
    (number, head), *lines = rows or [(1, {})]
    place = f"{str(file)!r} sheet {sheet} line"
    lacking = [name for name in required if name not in head.values()]
    if lacking:
        raise UsageError(f"{place} {number} lacks the column {lacking[0]}; the first line must name the columns")
    return [
        Line(f"{place} {at}", {head[column]: cell for column, cell in cells.items() if column in head})
        for at, cells in lines
    ]


def day(cell: str) -> date | None:
    """Return the date of a cell, written as 2026-12-31 or counted in days as a spreadsheet does; null if it is neither."""
    try:
        if re.fullmatch(r"\d{5}(\.0+)?", cell):
            return _EPOCH + timedelta(days=int(cell[:5]))
        return date.fromisoformat(cell)
    except ValueError:
        return None


def _part(book: zipfile.ZipFile, sheet: str, file: Path) -> str:
    """Return the name of the part that holds a sheet."""
    there = {one.get("name", ""): one.get(_REFERS) for one in _tree(book, "xl/workbook.xml").iter(f"{_MAIN}sheet")}
    if sheet not in there:
        raise UsageError(f"{str(file)!r} has no sheet {sheet!r}; it has {', '.join(there)}")
    targets = {one.get("Id"): one.get("Target", "") for one in _tree(book, "xl/_rels/workbook.xml.rels")}
    target = targets[there[sheet]]
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _tree(book: zipfile.ZipFile, part: str) -> ET.Element:
    if book.getinfo(part).file_size > _MOST_BYTES:
        raise ValueError(f"{part} is too large")
    text = book.read(part)
    if b"<!DOCTYPE" in text[:1000] or b"<!ENTITY" in text:  # a few bytes of entities may unpack to gigabytes
        raise ValueError(f"{part} declares entities")
    return ET.fromstring(text)  # noqa: S314 - entities are refused above, and no others are resolved


def _shared(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    return [_text(one) for one in _tree(book, "xl/sharedStrings.xml").iter(f"{_MAIN}si")]


def _text(element: ET.Element) -> str:
    # What is spelled above the characters, as in Japanese, is no part of the text.
    runs = [run for run in element if run.tag in (f"{_MAIN}t", f"{_MAIN}r")]
    parts = [part.text or "" for run in runs for part in run.iter(f"{_MAIN}t")]
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), "".join(parts))


def _rows(sheet: ET.Element, shared: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row that says something with its number, its cells by the letters of their column."""
    number = 0
    for row in sheet.iter(f"{_MAIN}row"):
        number = int(row.get("r", number + 1))
        cells = {}
        for cell in row.iter(f"{_MAIN}c"):
            column, value = cell.get("r", "").rstrip("0123456789"), _value(cell, shared).strip()
            if value:
                cells[column] = value
        if cells:
            yield number, cells


def _value(cell: ET.Element, shared: Sequence[str]) -> str:
    kind, value = cell.get("t", "n"), cell.findtext(f"{_MAIN}v") or ""
    if kind == "inlineStr":
        inline = cell.find(f"{_MAIN}is")
        return "" if inline is None else _text(inline)
    if kind == "s":
        return shared[int(value)]
    if kind == "n" and value:
        number = _DIGITS.create_decimal(value)
        return f"{number.normalize():f}" if number.is_finite() else value
    return value
