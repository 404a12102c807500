"""Read which breaks people want to accept: the sheet `breaks` of a workbook of ours, or a CSV with its columns."""

import re
from dataclasses import dataclass
from pathlib import Path

from flows.errors import UsageError
from flows.given import Line, read_table
from flows.sheets import read_sheet
from reports.cells import FORMULA
from reports.heads import names_by_head
from schemas.reports import REPORTS

SHEET = "breaks"
COLUMNS = ("fingerprint", "owner", "accepted_because", "expires_on", "maximum")
HEADS = names_by_head(REPORTS[SHEET])
"""What the columns are called in the workbook, in small letters."""
SHORT = {"because": "accepted_because", "comment": "accepted_because", "expires": "expires_on"}
"""What the columns may be called in a list of one's own; `reason` too, where no `code` says that it is the break's."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What one line asks for, as it was written; `place` names the line in messages."""

    fingerprint: str
    owner: str = ""
    because: str = ""
    expires: str = ""
    maximum: str = ""
    withdraw: bool = False
    place: str = ""


def wishes_of(file: Path) -> list[Wish]:
    """Return what the lines of a workbook or CSV ask for; those without an owner are left out.

    Raises:
        UsageError: the file cannot be read, or a line with an owner names no break.
    """
    is_workbook = file.suffix.casefold() == ".xlsx"
    lines = read_sheet(file, SHEET) if is_workbook else read_table(file, (*COLUMNS, *SHORT, "reason", "code"))
    wishes = [_wish(line, is_guarded=not is_workbook) for line in lines]
    wanted = [wish for wish in wishes if wish.owner]
    nameless = next((wish for wish in wanted if not wish.fingerprint), None)
    if nameless is not None:
        raise UsageError(f"{nameless.place} names an owner and no fingerprint; fill it, {_columns()}")
    return wanted


def _wish(line: Line, *, is_guarded: bool) -> Wish:
    told = {HEADS.get(name.casefold(), name): cell for name, cell in line.cells.items()}
    short = SHORT if "code" in told else SHORT | {"reason": "accepted_because"}
    cells = {short.get(name, name): _bare(cell) if is_guarded else cell for name, cell in told.items()}
    fingerprint, owner, because, expires, maximum = (cells.get(name, "") for name in COLUMNS)
    return Wish(fingerprint, owner, because, expires, maximum, place=line.place)


def _bare(cell: str) -> str:
    """Return a cell without the apostrophe that our CSV puts before what might run in a spreadsheet."""
    return cell[1:] if cell.startswith("'") and re.match(FORMULA, cell[1:]) else cell


def _columns() -> str:
    return f"the columns are {', '.join(COLUMNS)}"
