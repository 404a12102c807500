"""Open a DuckDB file: the only place that does, and always locked down.

With our own limits, without extensions, with no files but the named folders and no
Python variables as tables, and with a configuration that cannot be changed afterwards.
Which tables are in the file is in `warehouse.py`.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import duckdb
import polars as pl

from sql.errors import Busy, CannotWrite, Damaged, StoreError, WrongVersion
from sql.storage.files import cannot_write, private_folder, refuse_unless_plain

_HOLDER = re.compile(r"\(PID (\d+)\)")
_LOCKED = re.compile(r"Could not set lock|Conflicting lock")
_SIGNS: tuple[tuple[re.Pattern[str], type[StoreError], str], ...] = (
    (
        re.compile(r"version number|newer version|storage version", re.IGNORECASE),
        WrongVersion,
        "{path} was written by another version of DuckDB: {said}; use that version, or move the file away to rebuild it",
    ),
    (
        re.compile(r"No space left|disk quota|File too large|max_temp_directory_size|Could not write", re.IGNORECASE),
        CannotWrite,
        "cannot write {path}: {said}; free some space and run again",
    ),
    (
        re.compile(r"Permission denied|Read-only file system|No such file or directory|Is a directory"),
        CannotWrite,
        "cannot write {path}: {said}; correct the path or its permissions",
    ),
    (
        re.compile(
            r"Corrupt (WAL|database) file|does not match the database file|replaying WAL|not a valid DuckDB|"
            r"computed checksum|read enough bytes from file \"[^\"]*\.duckdb"
        ),
        Damaged,
        "{path} is damaged: {said}; the next run rebuilds what is missing",
    ),
)
"""Pattern of what DuckDB says about its file, the error it means, the message; the first that matches counts."""


LOCKED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}
"""Settings that must hold before the file is opened: opening may already fetch an extension."""

NEW_FILES = {"default_block_size": "65536"}
"""How files are made: a quarter of DuckDB's own block, because every small table takes at least one; in smaller ones whole numbers
are not packed, and in these no long decimals, of which few are stored."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may use, instead of DuckDB's defaults (most of the machine); all threads unless set."""

    memory: str = "2GB"
    spill: str = "50GB"
    threads: int | None = None


@contextmanager
def connect(
    path: Path | None,
    *,
    read_only: bool = False,
    folders: Sequence[Path] = (),
    spill: Path | None = None,
    limits: Limits | None = None,
    tries: int = 1,
    pause: Callable[[], object] = lambda: Event().wait(0.25),
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a locked-down connection to the file at `path`, or to memory; closed afterwards.

    `folders` are the only places SQL may read from and write to besides the file
    itself. A locked file is tried `tries` times with a `pause` between. The umask
    of the process becomes 077 for good: DuckDB makes its log and spill files
    whenever it likes.

    Raises:
        Busy: another process holds the file; the message names it.
        Damaged: the file cannot be read as it was written.
        WrongVersion: another version wrote it.
        CannotWrite: it is not a plain file, or the system refuses.
    """
    os.umask(0o077)
    if path is not None:
        _refuse_impossible(path)
    con = _wait_for_lock(path, read_only=read_only, tries=tries, pause=pause)
    try:
        _lock_down(con, folders=folders, spill=spill, limits=limits or Limits())
        yield con
    except duckdb.Error as error:
        ours = explained(error, path)
        if ours is None:
            raise
        raise ours from error
    finally:
        con.close()


class _Lent:
    """A frame that can be taken back from whoever remembers it."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.frame.__arrow_c_stream__(requested_schema)


@contextmanager
def lent(con: duckdb.DuckDBPyConnection, frames: Mapping[str, pl.DataFrame]) -> Iterator[None]:
    """Let statements read these frames by their names while the block runs.

    A name given within a transaction is remembered to its end, and what it stood for with it: a large load would keep all
    its frames until it commits. So the frames are taken back.
    """
    given = {name: _Lent(frame) for name, frame in frames.items()}
    for name, one in given.items():
        con.register(name, one)
    try:
        yield
    finally:
        for name, one in given.items():
            con.unregister(name)
            one.frame = pl.DataFrame()


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit everything done inside, or nothing if anything raises."""
    con.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        _undo(con)
        raise
    con.execute("COMMIT")


def checkpoint(con: duckdb.DuckDBPyConnection) -> None:
    """Bring what was committed from the database's log into its file."""
    con.execute("CHECKPOINT")


def explained(error: duckdb.Error, path: Path | None) -> StoreError | None:
    """Return our error for what DuckDB says about the file; None if it is about the statement."""
    if path is None or isinstance(error, duckdb.ProgrammingError):
        return None
    text = str(error)
    if _LOCKED.search(text):
        return _busy(text, path)
    for sign, kind, message in _SIGNS:
        if sign.search(text):
            return kind(message.format(path=path, said=text.splitlines()[0][:300]), where=path)
    return None


def quoted(text: str) -> str:
    """Return `text` as an SQL string literal, for the few places that take no parameter."""
    if "\0" in text:
        raise ValueError("a text with a zero byte cannot stand in SQL")
    return "'" + text.replace("'", "''") + "'"


def as_pattern(name: str) -> str:
    """Return a path as a pattern that matches the file of exactly that name."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


FOREIGN = {
    b"SQLite format 3": "an SQLite database",
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a ZIP or Excel file",
    b"\x1f\x8b": "a gzip file",
    b"%PDF": "a PDF",
}
"""First bytes of files that are certainly not ours."""
HEAD = 16
_MAGIC = slice(8, 12)


def _refuse_impossible(path: Path) -> None:
    refuse_unless_plain(path)
    _refuse_foreign(path)
    if "?" in str(path):
        # DuckDB reads what follows as options of the path and puts its log somewhere else
        raise CannotWrite(f"{path}: a database cannot lie below a name with a question mark; rename it", where=path)


def _refuse_foreign(path: Path) -> None:
    """Raise if the file begins as one of another kind: DuckDB would fetch an extension to open it."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except FileNotFoundError:
        return
    except OSError as error:
        raise cannot_write(path, error) from error
    kind = next((kind for start, kind in FOREIGN.items() if head.startswith(start)), None)
    if (
        kind is None
        and len(head) == HEAD
        and head.isascii()
        and head.decode().replace("\n", "").replace("\r", "").isprintable()
    ):
        kind = "a text file"
    if kind is not None:
        raise CannotWrite(f"{path} is {kind}, not a DuckDB file; configure another path", where=path)
    if head and head[_MAGIC] != b"DUCK":
        raise Damaged(
            f"{path} is damaged: it does not begin as a DuckDB file; call `planrecon run`, which rebuilds what is missing",
            where=path,
        )


def _wait_for_lock(
    path: Path | None, *, read_only: bool, tries: int, pause: Callable[[], object]
) -> duckdb.DuckDBPyConnection:
    target = ":memory:" if path is None else str(path)
    for attempt in range(1, tries + 1):
        try:
            return duckdb.connect(target, read_only=read_only, config={**LOCKED, **NEW_FILES})
        except duckdb.Error as error:
            ours = explained(error, path)
            if ours is None:
                raise
            if not isinstance(ours, Busy) or attempt == tries:
                raise ours from error
        pause()
    raise ValueError(f"tries must be at least 1, not {tries}")


def _lock_down(con: duckdb.DuckDBPyConnection, *, folders: Sequence[Path], spill: Path | None, limits: Limits) -> None:
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET memory_limit = $memory", {"memory": limits.memory})
    if limits.threads is not None:
        con.execute("SET threads = $threads", {"threads": limits.threads})
    con.execute("SET max_temp_directory_size = $spill", {"spill": limits.spill})
    con.execute("SET temp_directory = $folder", {"folder": str(private_folder(spill)) if spill else ""})
    names = [str(folder.resolve()) for folder in folders]
    # DuckDB asks for permission twice: for the pattern a file is named by, and for the file itself
    places = ", ".join(quoted(name) for name in dict.fromkeys([*names, *map(as_pattern, names)]))
    con.execute(f"SET allowed_directories = [{places}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _undo(con: duckdb.DuckDBPyConnection) -> None:
    try:
        con.execute("ROLLBACK")
    except duckdb.Error:
        return  # a dead connection has nothing to undo; what killed it is already on its way up


def _busy(text: str, path: Path) -> Busy:
    holder = _HOLDER.search(text)
    pid = int(holder[1]) if holder else None
    who = f"process {pid}" if pid else "another process"
    return Busy(f"{path} is held by {who}; wait until it ends and run again", where=path, pid=pid)
