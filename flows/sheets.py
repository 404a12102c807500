"""One sheet of a workbook (XLSX) that people wrote in, as the lines of cells that a CSV gives, too."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Context
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from flows.errors import UsageError
from flows.given import Line

_EPOCH = date(1899, 12, 30)
"""Day 0 of a spreadsheet."""
_DIGITS = Context(prec=15)
"""Digits a spreadsheet keeps of a number: what it writes beyond them is noise."""


def read_sheet(file: Path, sheet: str, *, required: Sequence[str] = ()) -> list[Line]:
    """Return the lines below the first of one sheet, cells by the names in that first line; empty cells are left out.

    A date is written as 2026-12-31, a number plainly and without the noise of binary fractions; of a formula it is the
    last result.

    Raises:
        UsageError: the file is no workbook, lacks the sheet, or the sheet a required column.
    """
    try:
        with CalamineWorkbook.from_path(file) as book:
            if sheet not in book.sheet_names:
                raise UsageError(
                    f"{str(file)!r} has no sheet {sheet!r}; name the sheet so, it has {', '.join(book.sheet_names)}"
                )
            rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except (OSError, CalamineError) as error:
        raise UsageError(f"{str(file)!r} cannot be read as a workbook ({error}); save it as XLSX, or as CSV") from error
    head, *lines = [[_text(cell).strip() for cell in row] for row in rows] or [[]]
    place = f"{str(file)!r} sheet {sheet} line"
    lacking = [name for name in required if name not in head]
    if lacking:
        raise UsageError(f"{place} 1 lacks the column {lacking[0]}; name the columns in the first line")
    named = ({name: cell for name, cell in zip(head, cells, strict=True) if name and cell} for cells in lines)
    return [Line(f"{place} {number}", cells) for number, cells in enumerate(named, start=2) if cells]


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, bool) or not isinstance(cell, float):
        return str(cell)
    return f"{_DIGITS.create_decimal(repr(cell)).normalize():f}"


def day(cell: str) -> date | None:
    """Return the date of a cell, written as 2026-12-31 or left a number of days by the spreadsheet; null if it is neither."""
    try:
        if re.fullmatch(r"\d{5}", cell):
            return _EPOCH + timedelta(days=int(cell))
        return date.fromisoformat(cell)
    except ValueError:
        return None
