"""Tables as plain text: one line a row, or one line a field; whole, whatever the width of who reads them."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

GAP = "  "
_WIDE = {"W", "F"}


@dataclass(frozen=True, slots=True)
class Table:
    """The texts of a table, each harmless and on one line.

    Attributes:
        right: Columns that stand flush right, as numbers do, by their place.
        first: Names of the columns that matter most, for who has no room for all; then the others, in their order.
        sentence: Name of the column that is read as a sentence.
        links: Address of the plan of each row, empty for none; a terminal opens it where column `plan_id` is clicked.
    """

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    right: frozenset[int] = frozenset()
    first: tuple[str, ...] = ()
    sentence: str = ""
    links: Sequence[str] = ()


def plain(table: Table) -> list[str]:
    """Lay out every column as wide as its longest text."""
    lines = (table.head, *table.rows)
    widths = [max(cells(line[place]) for line in lines) for place in range(len(table.head))]
    return [
        GAP.join(aligned(text, widths[place], right=place in table.right) for place, text in enumerate(line)).rstrip()
        for line in lines
    ]


def vertical(table: Table) -> Iterator[str]:
    """Lay out each row as lines of name and text, under its number."""
    width = max(map(cells, table.head))
    for number, row in enumerate(table.rows, 1):
        yield f"-- {number} of {len(table.rows)} --"
        for name, text in zip(table.head, row, strict=True):
            yield f"{aligned(name, width)}{GAP}{text}".rstrip()


def aligned(text: str, width: int, *, right: bool = False) -> str:
    """Fill a text with blanks to a width."""
    blanks = " " * (width - cells(text))
    return blanks + text if right else text + blanks


def cells(text: str) -> int:
    """Return how many places a text takes in a terminal: two for a wide letter, none for a mark over another."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(letter) in _WIDE else 0 if unicodedata.combining(letter) else 1
        for letter in text
    )
