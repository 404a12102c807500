"""How a table is shown: fitted to the window of a terminal, whole, or one field a line; chosen once for a command."""

import shutil
import sys

from flows.errors import UsageError
from reports.terminal.layout import Table, plain, vertical

LEAST = 20
"""Places below which a window is taken for one that tells no width."""


class _Asked:
    """What this process was asked for."""

    wide = False
    vertical = False


def choose(*, wide: bool, vertical: bool) -> None:
    """Lay out the tables of this process so.

    Raises:
        UsageError: both are asked for.
    """
    if wide and vertical:
        raise UsageError("--wide and --vertical are two layouts; give one of them")
    _Asked.wide, _Asked.vertical = wide, vertical


def asked() -> str:
    """Return the option that asks for a layout; empty where none does."""
    return "--wide" if _Asked.wide else "--vertical" if _Asked.vertical else ""


def width() -> int | None:
    """Return the width to fit lines to; null where they stay whole: in a pipe, in a file, or where that is asked for."""
    if _Asked.wide or not sys.stdout.isatty():
        return None
    columns = shutil.get_terminal_size().columns
    return columns if columns >= LEAST else None


def laid_out(table: Table) -> str:
    """Return the lines of a table, each with its line break."""
    room = width()
    if room is None:
        return "".join(f"{line}\n" for line in (vertical(table) if _Asked.vertical else plain(table)))
    from reports.terminal.window import fitted, listed  # rich takes its time, and a pipe does not need it

    return listed(table, room) if _Asked.vertical else fitted(table, room)


def wrapped(text: str) -> str:
    """Return a text with its long lines wrapped where there is a window to fit them to."""
    room = width()
    if room is None:
        return text
    from reports.terminal.window import wrapped as folded

    return folded(text, room)
