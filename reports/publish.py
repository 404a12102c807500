"""Make a run folder visible: whole, or not at all.

`<dir>/.<run>.tmp/` while it is written, `<dir>/as_of=D/<run>/` once every file is on the
disk, published once it holds its manifest, current once `latest` points at it. A run that
is held lies in `<dir>/held/as_of=D/<run>/`: below `as_of=*` is nothing but what was published.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import IO, Any

from reports import manifest
from reports.errors import DamagedError, PlaceError, ReportError
from schemas.words import PUBLISHED

LATEST, HELD_BELOW = "latest", "held"
_ALIVE = ".alive"
"""Locked while its writer lives; tells a folder in the making from a dead run's leftover."""
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DAY = re.compile(r"as_of=\d{4}-\d{2}-\d{2}")
_STAGING = re.compile(r"\.[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.tmp")
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


class Staging:
    """A run folder in the making. Files go to `path`; `settle` gives them their final place."""

    def __init__(self, reports_dir: Path, as_of: date, run_id: str) -> None:
        if not _RUN_ID.fullmatch(run_id):
            raise ReportError(f"run id {run_id!r} cannot name a folder; use letters, digits, dot, dash and underscore")
        day = f"as_of={as_of.isoformat()}"
        self._places = {True: reports_dir / day / run_id, False: reports_dir / HELD_BELOW / day / run_id}
        self.path = reports_dir / f".{run_id}.tmp"
        _made(reports_dir)
        sweep(reports_dir)
        for place in self._places.values():
            for above in {place.parent, place.parent.parent} - {reports_dir}:
                if above.is_symlink() or (above.exists() and not above.is_dir()):
                    raise PlaceError(f"{above} is no folder of ours; move it away and start a new run")
        if any(place.exists() for place in (self.path, *self._places.values())):
            raise PlaceError(f"run {run_id} is there already in {reports_dir}, or is being written; start a new run")
        self.path.mkdir(mode=_FOLDER_MODE)
        self._lock = _held(self.path / _ALIVE)
        self._settled: list[Path] = []

    def settle(self, state: str = PUBLISHED) -> Path:
        """Put every file on the disk, give the folder its final place and return it; it has no manifest yet."""
        self._settled = _regular(self.path)
        for file in self._settled:
            _to_disk(file)
        final = self._places[state == PUBLISHED]
        _made(final.parent)
        _move(self.path, final)
        self.path = final
        return final

    def seal(self, text: str) -> None:
        """Add the manifest, the last file."""
        settled = {file.name for file in self._settled}
        for file in _regular(self.path):
            if file.name not in settled:
                _to_disk(file)
        _write(self.path / manifest.NAME, text)
        (self.path / _ALIVE).unlink()
        self._lock.close()

    def drop(self, *, stays: bool = False) -> None:
        """Remove what was written, unless it is sealed or stays."""
        if not stays and not (self.path / manifest.NAME).exists():
            with suppress(OSError):  # the next start removes what is left
                _remove(self.path)
        self._lock.close()


def reseal(folder: Path, name: str) -> None:
    """Describe file `name` of a sealed folder anew, after it was replaced; the rest of the manifest stays."""
    replace_manifest(folder, manifest.redescribe(folder, name))


def replace_manifest(folder: Path, told: Mapping[str, Any]) -> None:
    """Put another manifest in the place of a sealed folder's own, at once."""
    _write(folder / manifest.NAME, manifest.to_json(told))


def point_latest(reports_dir: Path, folder: Path) -> bool:
    """Make `latest` point at a published folder whose as-of date is not before the current one's.

    Returns whether it moved. The old pointer stays valid until the new one takes its place.

    Raises:
        PlaceError: `latest` is something else than a pointer.
    """
    link = reports_dir / LATEST
    if link.exists() and not link.is_symlink():
        raise PlaceError(f"{link} is not a link of ours; move it away and run again")
    found = manifest.read(folder)
    if found.state != PUBLISHED or found.as_of < _current_as_of(link):
        return False
    new = reports_dir / f".{LATEST}.{folder.name}.tmp"
    new.unlink(missing_ok=True)
    new.symlink_to(folder.relative_to(reports_dir), target_is_directory=True)
    _move(new, link)
    return True


def require_place(reports_dir: Path, as_of: date) -> None:
    """Raise unless a run of this date can be written and pointed at, found out by trying.

    Raises:
        PlaceError: what stands in the way, and what to do.
    """
    if "?" in str(reports_dir.resolve()):
        # a database lies in each run folder, and DuckDB takes what follows for options of its path
        raise PlaceError(
            f"{reports_dir} has a question mark in its name; rename the folder, or name another in reports.dir"
        )
    link, day = reports_dir / LATEST, reports_dir / f"as_of={as_of.isoformat()}"
    probe = reports_dir / f".{LATEST}.{os.getpid()}.tmp"
    try:
        _made(reports_dir)
        if link.exists() and not link.is_symlink():
            raise PlaceError(f"{link} is not a link of ours; move it away and run again")
        if day.is_symlink() or (day.exists() and not day.is_dir()):
            raise PlaceError(f"{day} is not a folder of ours; move it away and run again")
        for folder in (reports_dir, day) if day.exists() else (reports_dir,):
            made = folder / probe.name
            made.unlink(missing_ok=True)
            made.symlink_to("nowhere")
            made.unlink()
    except OSError as error:
        raise PlaceError(
            f"{error.filename or reports_dir} cannot be written ({error.strerror}); "
            "correct its permissions, move away what stands there, or name another folder in reports.dir"
        ) from error


def sweep(reports_dir: Path) -> list[Path]:
    """Remove what dead runs left half done, and return it. Links are never followed.

    Half done is a folder of ours without a manifest whose writer holds no lock any more.
    """
    swept = []
    for stale in (each for below in ("", "as_of=*/") for each in reports_dir.glob(f"{below}.{LATEST}.*.tmp")):
        if stale.is_symlink():
            stale.unlink()
            swept.append(stale)
    unfinished = [folder for folder in _folders(reports_dir) if _STAGING.fullmatch(folder.name)]
    for folder in [*unfinished, *run_folders(reports_dir)]:
        if (folder / _ALIVE).is_file() and _is_alive(folder):
            continue
        if (folder / manifest.NAME).exists():
            (folder / _ALIVE).unlink(missing_ok=True)
        elif (folder / _ALIVE).is_file():
            _remove(folder)
            swept.append(folder)
        elif not any(folder.iterdir()):
            folder.rmdir()
            swept.append(folder)
    return swept


def run_folders(reports_dir: Path) -> Iterator[Path]:
    """Yield the folders of published runs, then those of held ones, each oldest first; links are left out."""
    for above in (reports_dir, reports_dir / HELD_BELOW):
        days = _folders(above) if above.is_dir() and not above.is_symlink() else []
        for day in sorted(days):
            if _DAY.fullmatch(day.name):
                yield from sorted(_folders(day))


def _remove(folder: Path) -> None:
    """Remove the folder of a dead run, the mark of its writer last: who is killed in between leaves it to be found again."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != _ALIVE:
            path.unlink()
    (folder / _ALIVE).unlink(missing_ok=True)
    folder.rmdir()


def _folders(path: Path) -> list[Path]:
    with os.scandir(path) as entries:
        return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]


def _current_as_of(link: Path) -> str:
    """Return the as-of date `latest` stands for, empty if it points at nothing readable."""
    try:
        return manifest.read(link).as_of
    except DamagedError:
        return ""


def _held(path: Path) -> IO[str]:
    file = path.open("w", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def _is_alive(folder: Path) -> bool:
    with (folder / _ALIVE).open("r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _made(folder: Path) -> None:
    """Make a folder and its missing parents, with names that last through a power cut."""
    for missing in [place for place in (*reversed(folder.parents), folder) if not place.exists()]:
        missing.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        _sync(missing.parent)


def _regular(folder: Path) -> list[Path]:
    """Return the files that stay, sorted."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink() and path.name != _ALIVE)


def _write(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}.tmp")
    scratch.write_text(text, encoding="utf-8")
    _to_disk(scratch)
    _move(scratch, path)


def _move(path: Path, target: Path) -> None:
    """Give a file, folder or link another name; when this returns the name lasts through a power cut."""
    path.replace(target)
    _sync(target.parent)


def _to_disk(file: Path) -> None:
    file.chmod(_FILE_MODE)
    _sync(file)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
