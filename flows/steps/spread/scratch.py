"""Files that the run and the workers hand to each other, below an address of fsspec; none of them outlives the run.

A mark in the state folder names the folder before anything is in it, so that the next start finds what a killed run left.

    <scratch>/planrecon-20260630T060000000000Z/shared    what every part needs
                                   /3/plans.parquet      inputs of part 3, one file per table
                                   /3/result-4f1c…/…     its results: every attempt writes a folder of its own
"""

import pickle
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl

from flows import log
from flows.errors import SettingsError
from sql.storage.files import private_folder, write_atomic

MARK = "scratch_in_use"
"""File of the state folder that holds the address of the folder in use."""


class Scratch:
    """One folder of such files, wherever it lies."""

    def __init__(self, address: str) -> None:
        from fsspec.core import url_to_fs

        self.address = address
        self._files, self._root = url_to_fs(address)

    def make(self, folder: str = "") -> None:
        """Make the folder, or one in it; never one whose parent was removed meanwhile."""
        self._files.mkdir(f"{self._root}/{folder}".rstrip("/"), create_parents=False)

    def write_frames(self, folder: str, frames: Mapping[str, pl.DataFrame]) -> None:
        """Write each frame as `<folder>/<name>.parquet`."""
        self.make(folder)
        for name, frame in frames.items():
            with self._files.open(f"{self._root}/{folder}/{name}.parquet", "wb") as file:
                frame.write_parquet(file, compression="zstd", compression_level=1)

    def read_frames(self, folder: str, names: Iterable[str]) -> dict[str, pl.DataFrame]:
        """Return what `write_frames` wrote, with the same types."""
        paths = {name: f"{self._root}/{folder}/{name}.parquet" for name in names}
        return {name: pl.read_parquet(self._files.cat_file(path)) for name, path in paths.items()}

    def write_object(self, name: str, value: Any) -> None:
        """Write a value for workers of the same version."""
        with self._files.open(f"{self._root}/{name}", "wb") as file:
            file.write(pickle.dumps(value))

    def read_object(self, name: str) -> Any:
        """Return what `write_object` wrote. Who may write here is trusted: the same person may run code on the workers."""
        return pickle.loads(self._files.cat_file(f"{self._root}/{name}"))  # noqa: S301

    def remove(self, folder: str = "") -> None:
        """Remove a folder, or all of it; one that is gone is fine."""
        with suppress(FileNotFoundError):
            self._files.rm(f"{self._root}/{folder}".rstrip("/"), recursive=True)


@contextmanager
def scratch_of(run_id: str, *, below: str | None, state_dir: Path) -> Iterator[Scratch]:
    """Yield an empty folder `below` an address, else in the state folder, and remove it afterwards whatever happens.

    Raises:
        SettingsError: nothing can be written there; names the key, the address and what to do.
    """
    place = below.rstrip("/") if below else str(private_folder(state_dir.absolute() / "scratch"))
    mark = state_dir / MARK
    with _usable(place):
        scratch = Scratch(f"{place}/planrecon-{run_id}")
    write_atomic(mark, scratch.address.encode())
    try:
        with _usable(place):
            scratch.make()
            scratch.write_object("shared", None)
        yield scratch
    finally:
        _removed(scratch.address, mark)


@contextmanager
def _usable(place: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, ImportError) as error:
        raise SettingsError(
            f"scale.scratch: nothing can be written below {place} ({error}); give a folder that is there, or an address such as "
            "s3://bucket/folder with its fsspec library installed, which this machine and every worker can write to"
        ) from error


def remove_left(state_dir: Path) -> str:
    """Remove what a killed run left for its workers; return a sentence about it, empty where it left nothing."""
    mark = state_dir / MARK
    if not mark.is_file():
        return ""
    address = mark.read_text(encoding="utf-8")
    if _removed(address, mark):
        return f"what a stopped run had written for its Dask workers is removed: {address}"
    return f"{address}, written for the Dask workers of a stopped run, cannot be removed; the next start tries again"


def _removed(address: str, mark: Path) -> bool:
    """Remove the folder and its mark; where that fails the mark stays, so that the next start tries again."""
    try:
        Scratch(address).remove()
    except (OSError, ValueError, ImportError) as error:
        log.LOGGER.warning("%s cannot be removed: %s", address, error)
        return False
    mark.unlink(missing_ok=True)
    return True
