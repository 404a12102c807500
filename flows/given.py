"""Files that people write and hand in: their text, whatever program saved it, and tables as spreadsheets write them.

What a file means belongs to who reads it; here it becomes text, or lines of cells under the names that are known.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.errors import PlanreconError, UsageError

DELIMITERS = ",;\t"
_SEPARATOR = re.compile(r"\s*sep=([,;\t])\s*", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?[\d.]*,\d+", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+", re.ASCII)
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: where it stands, and its cells by column, empty ones left out."""

    place: str
    cells: Mapping[str, str]


def read_text(
    file: Path,
    *,
    error: type[PlanreconError] = UsageError,
    save_as: str = "UTF-8",
    key: str = "",
    is_marked: bool = True,
) -> str:
    """Return what a file says, without the mark some programs put at its beginning.

    Args:
        file: Where it lies.
        error: What to raise.
        save_as: What programs call the encoding that is wanted.
        key: The key that names the file, for the message.
        is_marked: The mark is allowed; a spreadsheet writes it, and no other file should have it.

    Raises:
        PlanreconError: of the kind `error`; the file cannot be read, or is not UTF-8. The message names file and line.
    """
    name = f"{key} {str(file)!r}".strip()
    try:
        body = file.read_bytes()
    except (OSError, ValueError) as reason:  # a name with a zero byte is a ValueError
        said = getattr(reason, "strerror", None) or reason
        raise error(f"{name} cannot be read ({said}); give a file that can") from reason
    if body.startswith(_WIDE) or b"\0" in body[:200]:
        raise error(f"{name} line 1 is not UTF-8 but UTF-16; save as {save_as}")
    if body.startswith(codecs.BOM_UTF8) and not is_marked:
        raise error(f"{name} line 1 begins with a byte order mark; save as {save_as} without one")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        # the codec counts from behind the mark, or from the beginning if there is no mark
        start = reason.start + len(body) - len(body.removeprefix(codecs.BOM_UTF8))
        number = 1 + body[:start].count(b"\n")
        raise error(f"{name} line {number} is not UTF-8 (Windows-1252 perhaps); save as {save_as}") from None


def read_table(
    file: Path, known: Sequence[str], *, required: Sequence[str] = (), error: type[PlanreconError] = UsageError
) -> list[Line]:
    """Return the lines of a CSV, as any program writes one: with commas, semicolons or tabs between its cells.

    Names of columns are those of `known` without regard to case; others stay as they are. Columns and lines in which
    nothing is written are left out. No message repeats a cell: it may be a secret.

    Raises:
        PlanreconError: of the kind `error`; the file cannot be read or is no such table. The message names file and line.
    """
    text = read_text(file, error=error, save_as="CSV UTF-8")
    told = _SEPARATOR.fullmatch(text.partition("\n")[0])
    skipped = 1 if told else 0
    rest = text.partition("\n")[2] if told else text
    delimiter = told[1] if told else _delimiter(rest)
    records: list[tuple[int, list[str]]] = []
    try:
        records += _records(rest, delimiter, skipped)
    except csv.Error as reason:
        last = records[-1][0] if records else skipped
        raise error(f"{str(file)!r} after line {last} is no CSV: {reason}. Save it as CSV UTF-8 again") from reason
    (number, head), *lines = records or [(1, [""])]
    canonical = {name.casefold(): name for name in known}
    names = [canonical.get(name.casefold(), name) for name in head]
    lacking = [name for name in required if name not in names]
    if lacking:
        asked = ",".join(required)
        raise error(f"{str(file)!r} line {number} lacks the column {lacking[0]}; the first line must be {asked}")
    _check_head(f"{str(file)!r} line {number}", names, [cells for _, cells in lines], error)
    return [_line(f"{str(file)!r} line {at}", cells, names, error) for at, cells in lines]


def _delimiter(text: str) -> str:
    """Return the separator between the names of the first line that is not empty, outside quotes; else a comma."""
    head = next((line for line in text.splitlines() if line.strip(DELIMITERS + " ")), "")
    bare = re.sub(r'"[^"]*"', "", head)
    return max(DELIMITERS, key=bare.count)


def _records(text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that say something, each with the number of the line it begins on."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    for row in rows:
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield begins + skipped, cells
        begins = rows.line_num + 1


def _check_head(place: str, names: Sequence[str], lines: Sequence[Sequence[str]], error: type[PlanreconError]) -> None:
    is_used = [not lines or any(len(cells) > at and cells[at] for cells in lines) for at in range(len(names))]
    used = [name for name, has_cells in zip(names, is_used, strict=True) if has_cells]
    twice = [name for name in used if name and used.count(name) > 1]
    if twice:
        raise error(f"{place}: {twice[0]} stands twice; leave one of the columns")
    if lines and "" in used:
        at = next(at for at, name in enumerate(names) if not name and is_used[at])
        raise error(f"{place}: column {at + 1} has no name, and cells below it; name or remove it")


def _line(place: str, cells: list[str], names: Sequence[str], error: type[PlanreconError]) -> Line:
    while len(cells) > len(names) and not cells[-1]:
        cells.pop()
    if len(cells) != len(names):
        raise error(
            f"{place} has another number of cells than the header, {len(cells)} and {len(names)}; quote a cell that holds "
            "what stands between cells, and write amounts with a point, not with a comma"
        )
    return Line(place, {name: cell for name, cell in zip(names, cells, strict=True) if cell})


def unclear_number(cell: str) -> str:
    """Return why a cell may be a number as most of Europe writes it, 1.000,50, and no other; empty where it is not."""
    if _DECIMAL_COMMA.fullmatch(cell):
        return "a decimal comma; write the number with a point and nothing between thousands, as 1000.50"
    if _THOUSANDS.fullmatch(cell):
        return "a point that may stand between thousands; write 1000.00, or 1.00 if that is meant"
    return ""
