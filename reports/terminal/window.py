"""Tables and sentences fitted to the width of a window: texts are folded, never cut; columns without room are named."""

import io
import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from reports.terminal.layout import GAP, Table, vertical

FOLDED = 12
"""Places below which a text is not folded."""
PIECE = 16
"""Places below which a piece of a text is not folded: a word, a time, a part of an id."""
SENTENCE = 40
"""Places that a sentence needs to stand in its row; with fewer it stands below."""
INDENT = 4
LINKED = "plan_id"
"""Column whose texts are links where the table has some."""
_LINK = "\x1b]8;;{}\x1b\\{}\x1b]8;;\x1b\\"
"""How a terminal is told of a link (OSC 8): its address, then its text; one that knows none shows the text alone."""
_PIECES = re.compile(r"[^ _-]+[ _-]*|[ _-]+")


def fitted(table: Table, width: int) -> str:
    """Return the table in lines no longer than `width`, the head in bold where the terminal has that.

    Where not all columns fit, those that matter most stay, and the last line names the others.
    """
    console = _console(width)
    places = [place for place, name in enumerate(table.head) if name != table.sentence]
    kept = _kept(table, places, width) if places else []
    widths = _widths(table, kept, width)
    left = width - sum(widths.values()) - len(GAP) * len(kept)
    told = table.head.index(table.sentence) if table.sentence in table.head else None
    if told is not None and (left >= SENTENCE or not kept):
        widths[told], told = left, None
    for line in _row(console, [table.head[at] for at in widths], widths, table.right):
        console.print(Text(line, style="bold"), soft_wrap=True)
    linked = list(widths).index(table.head.index(LINKED)) if _has_links(table, widths) else None
    for number, row in enumerate(table.rows):
        link = None if linked is None else (linked, table.links[number])
        for line in _row(console, [row[at] for at in widths], widths, table.right, link=link):
            console.out(line, highlight=False)
        if told is not None and row[told]:
            for line in _folded(console, row[told], width - INDENT):
                console.out(" " * INDENT + line, highlight=False)
    gone = [table.head[place] for place in places if place not in kept]
    if gone:
        console.out(wrapped(f"no room for {', '.join(gone)}: --wide shows all, --vertical one field a line", width))
    return _said(console)


def listed(table: Table, width: int) -> str:
    """Return one line a field as `vertical` has it, with long texts folded beside their name."""
    indent = max(map(cell_len, table.head)) + len(GAP)
    return "".join(f"{wrapped(line, width, indent)}\n" for line in vertical(table))


def wrapped(text: str, width: int, indent: int = 0) -> str:
    """Return each line of a text that is longer than `width` in several, all but its first indented."""
    console = _console(width)
    lines: list[str] = []
    for line in text.split("\n"):
        if Text.from_ansi(line).cell_len <= width or width - indent < FOLDED:
            lines.append(line)
            continue
        head, rest = line[:indent], line[indent:]
        folded = _folded(console, rest, width - indent)
        lines += [f"{head if number == 0 else ' ' * indent}{part}" for number, part in enumerate(folded)]
    return "\n".join(lines)


def _kept(table: Table, places: Sequence[int], width: int) -> list[int]:
    """Return the columns there is room for, in their order: the first of those that matter, then the next that fits."""
    rank = {name: number for number, name in enumerate(table.first)}
    ordered = sorted(places, key=lambda place: (rank.get(table.head[place], len(rank)), _is_bare(table, place), place))
    kept: list[int] = []
    room = width
    for place in ordered:
        least = _least(table, place) + (len(GAP) if kept else 0)
        if kept and least > room:
            break
        kept.append(place)
        room -= least
    return sorted(kept)


def _is_bare(table: Table, place: int) -> bool:
    return not any(row[place] for row in table.rows)


def _widths(table: Table, kept: Sequence[int], width: int) -> dict[int, int]:
    """Return the width of each column: what it needs, and of what is left first those that lack least."""
    widths = {place: min(_least(table, place), width) for place in kept}
    spare = width - sum(widths.values()) - len(GAP) * (len(kept) - 1)
    lacks = {place: _natural(table, place) - widths[place] for place in kept}
    for place in sorted(kept, key=lambda place: (lacks[place], place)):
        more = min(lacks[place], max(spare, 0))
        widths[place] += more
        spare -= more
    return widths


def _natural(table: Table, place: int) -> int:
    return max(cell_len(line[place]) for line in (table.head, *table.rows))


def _least(table: Table, place: int) -> int:
    """Return the width below which a column says nothing: that of its numbers, of a piece of its texts, of its head."""
    longest = max((cell_len(row[place]) for row in table.rows), default=0)
    head = max(map(cell_len, _PIECES.findall(table.head[place])), default=0)
    if place in table.right:
        return max(head, longest)
    pieces = (cell_len(part.rstrip(" ")) for row in table.rows for part in _PIECES.findall(row[place]))
    piece = max((width for width in pieces if width <= PIECE), default=0)
    return max(head, min(longest, max(FOLDED, piece)))


def _parted(text: str, width: int) -> str:
    """Return a text in several lines where it is wider than its column, parted at blanks, underscores and hyphens."""
    if cell_len(text) <= width:
        return text
    lines = [""]
    for piece in _PIECES.findall(text):
        if cell_len((lines[-1] + piece).rstrip()) > width and lines[-1]:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip(" ") for line in lines)


def _has_links(table: Table, widths: dict[int, int]) -> bool:
    return any(table.links) and LINKED in table.head and table.head.index(LINKED) in widths


def _row(
    console: Console,
    texts: Sequence[str],
    widths: dict[int, int],
    right: frozenset[int],
    *,
    link: tuple[int, str] | None = None,
) -> Iterator[str]:
    """Yield the lines of a row; `link` is the number of the text that is one, among those shown, and where it leads."""
    parts = [_folded(console, _parted(text, width), width) for text, width in zip(texts, widths.values(), strict=True)]
    for number in range(max(map(len, parts))):
        line = [
            _set(part[number] if number < len(part) else "", width, right=place in right)
            for part, (place, width) in zip(parts, widths.items(), strict=True)
        ]
        if link is not None and link[1] and (text := line[link[0]].strip()):
            line[link[0]] = line[link[0]].replace(text, _LINK.format(link[1], text))
        yield GAP.join(line).rstrip()


def _set(text: str, width: int, *, right: bool) -> str:
    return " " * (width - cell_len(text)) + text if right else set_cell_size(text, width)


def _folded(console: Console, text: str, width: int) -> list[str]:
    if cell_len(text) <= width and "\n" not in text:
        return [text]
    return [line.plain.rstrip() for line in Text(text).wrap(console, width, overflow="fold", tab_size=1)]


def _console(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=True, highlight=False, markup=False, emoji=False)


def _said(console: Console) -> str:
    said = console.file
    return said.getvalue() if isinstance(said, io.StringIO) else ""
