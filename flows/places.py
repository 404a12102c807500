"""Before anything is fetched: what a run will write can be written, and what guards its figures is switched on."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from flows.errors import SettingsError
from flows.settings import Settings
from reports.publish import require_place
from sql.errors import CannotWrite
from sql.files import require_writable

KEPT = ("landing", "runs", "secrets")
"""Folders below the state folder that a run writes into."""
ON = ("True", "true", "1")
"""What pandera takes for on; everything else switches it off."""


def require_validation() -> None:
    """Refuse to compute where the environment switches validation off.

    Our gates hold all the same; but who set the variable wants something that no run gives, and should know.

    Raises:
        SettingsError: names the variable and its value.
    """
    enabled, depth = os.environ.get("PANDERA_VALIDATION_ENABLED"), os.environ.get("PANDERA_VALIDATION_DEPTH")
    if enabled is not None and enabled not in ON:
        raise SettingsError(f"PANDERA_VALIDATION_ENABLED is {enabled!r}, which switches validation off; unset it")
    if depth not in {None, "SCHEMA_AND_DATA"}:
        raise SettingsError(f"PANDERA_VALIDATION_DEPTH is {depth!r}, which leaves part of the validation out; unset it")


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
