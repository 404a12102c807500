"""Check before fetching that everything a run will write can be written."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from flows.settings import Settings
from reports.publish import require_place
from sql.errors import CannotWrite
from sql.storage.files import require_writable

KEPT = ("landing", "runs", "secrets")
"""Folders below the state folder that a run writes into."""


def require_places(settings: Settings, as_of: date) -> None:
    """Make and try every folder that a run of this date writes into.

    Raises:
        CannotWrite: names the key, the path and what to do.
        PlaceError: the same of the reports' folder.
    """
    for key, folder in _folders(settings):
        try:
            require_writable(folder)
        except CannotWrite as error:
            raise CannotWrite(f"{key}: {error}", where=error.where) from error
    require_place(settings.reports.dir.absolute(), as_of)


def _folders(settings: Settings) -> Iterator[tuple[str, Path]]:
    state_dir = settings.warehouse.state_dir
    yield "warehouse.state_dir", state_dir
    yield from (("warehouse.state_dir", state_dir / name) for name in KEPT if (state_dir / name).exists())
    yield "warehouse.path", settings.warehouse.path.absolute().parent


def would_take(path: Path) -> bool:
    """Tell whether a folder can be made or written at `path`, without making anything."""
    while not os.path.lexists(path):
        path = path.parent
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)
