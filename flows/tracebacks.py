"""Keep the traceback of an unexpected error in a private file, never on the screen unless asked for."""

import contextlib
import os
import tempfile
import traceback
from pathlib import Path

from flows import clock, log
from sql.errors import StoreError
from sql.storage.files import open_private, private_folder

FOLDER = "errors"
"""Below the state folder."""


class _Place:
    """Where the tracebacks of this process go, once its configuration is read."""

    state_dir: Path | None = None


def keep_below(state_dir: Path) -> None:
    """Keep tracebacks below this state folder from now on."""
    _Place.state_dir = state_dir


def told(error: BaseException) -> str:
    """Return the traceback with its secrets masked; it holds no values of variables."""
    return log.masked("".join(traceback.format_exception(error)))


def keep(error: BaseException) -> Path | None:
    """Write the traceback into a file and return it; null where none can be written.

    It lies below the state folder, or where that is not known or cannot be written in a new folder for temporary files.
    """
    name = f"{clock.now():%Y%m%dT%H%M%S%fZ}-{os.getpid()}.txt"
    with contextlib.suppress(StoreError, OSError):
        if _Place.state_dir is not None:
            return _written(private_folder(_Place.state_dir / FOLDER) / name, error)
    with contextlib.suppress(OSError):
        return _written(Path(tempfile.mkdtemp(prefix="planrecon-")) / name, error)
    return None


def _written(file: Path, error: BaseException) -> Path:
    with open_private(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as lines:
        lines.write(told(error).encode(errors="backslashreplace"))
    return file
