"""Make warehouse, landing and commit log agree again after whatever ended the last process.

Safe to call at every start and to be killed in: each step leaves the next start
less to do. Nothing is deleted but what a crash left half-written; a damaged
file is moved aside under a name that tells when and what it was. Fetching and
loading again is the caller's work; here is only the list of what to load.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import escape
from pathlib import Path

import duckdb

from sql import acceptances
from sql.connection import Limits, connect
from sql.errors import CannotWrite, Damaged
from sql.runs import run_states
from sql.storage.archive import Archive
from sql.storage.commit_log import CommitLog
from sql.storage.commits import CommittedLoad, committed_loads, log_loads, log_runs, rebuild_order, restore_runs
from sql.storage.files import TEMPORARY, cannot_write, is_ours, move, sha256_file
from sql.storage.landing import Landing
from sql.warehouse import SUSPECT, Warehouse, read_everything

LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")
"""Endings of the files in which DuckDB keeps what is not yet in the main file."""

_MAGIC = slice(8, 12)
_SPILLED = "duckdb_temp_*"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found and done at start-up.

    `replay` are loads that were committed and are not in the file: load them
    again, in this order, before anything else. `logged_late` names commits that the commit
    log lacked until now, `restored` runs put back from the archive, `lost` runs whose
    archive is gone, `moved_aside` damaged files under their new names, `removed` what a
    stopped process left half-written.
    """

    replay: tuple[CommittedLoad, ...] = ()
    logged_late: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    moved_aside: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()

    def notes(self) -> list[str]:
        """Return in a sentence each what was mended here; what is gone for good is told by `what_is_gone`."""
        again = (
            f"{len(self.replay)} of the loads and {len(self.restored)} of the runs in the commit log were not in the warehouse; "
            "they are in it again"
        )
        left = ", ".join(path.name for path in self.removed)
        late = self.logged_late if len(self.logged_late) == 1 else ()  # more of them are a log that was removed or cut
        return [
            *(
                f"{damaged} was damaged and is moved aside; its loads are replayed from the landing"
                for damaged in self.moved_aside
            ),
            *(f"the commit log lacked {commit}, which an earlier run was stopped in; it has it now" for commit in late),
            *([again] if self.replay or self.restored else []),
            *([f"what a stopped process left half-written is removed: {left}"] if left else []),
        ]


@contextmanager
def recover(
    path: Path,
    *,
    state_dir: Path,
    moment: datetime,
    folders: Sequence[Path] = (),
    limits: Limits | None = None,
    deep: bool = False,
) -> Iterator[tuple[Warehouse, Recovered]]:
    """Bring warehouse and commit log together, and yield the warehouse, open; `Recovered` tells what is left to do.

    `moment` stands in the names of files that are moved aside. With `deep`, or
    after a run met damage, every block of the file is read.

    Raises:
        Busy: another process holds the warehouse.
        Damaged: the commit log is damaged, or it and the warehouse contradict each other.
        CannotWrite: what stands at `path` is not ours to move.
    """
    path, state_dir = path.absolute(), state_dir.absolute()
    commit_log, archive = CommitLog(state_dir), Archive(state_dir)
    removed = remove_stale(path, state_dir)
    with ExitStack() as opened:
        warehouse, moved = _open_what_is_sound(
            lambda: opened.enter_context(Warehouse.open(path, state_dir=state_dir, folders=folders, limits=limits)),
            path,
            commit_log,
            moment=moment,
            deep=deep,
        )
        con = warehouse.con
        logged_late = [f"load {number}" for number in log_loads(con, commit_log)]
        logged_late += [f"run {run_id}" for run_id in log_runs(con, commit_log, archive)]
        restored, lost = restore_runs(con, commit_log, archive)
        acceptances.settle(con, commit_log)
        here, logged = committed_loads(con), rebuild_order(commit_log)
        yield (
            warehouse,
            Recovered(
                replay=tuple(logged[len(here) :]),
                logged_late=tuple(logged_late),
                restored=tuple(restored),
                lost=tuple(lost),
                moved_aside=tuple(moved),
                removed=tuple(removed),
            ),
        )


def set_aside(path: Path, *, state_dir: Path, moment: datetime) -> list[Path]:
    """Move the warehouse and its logs aside, so that the next recovery begins with an empty one; return the new names.

    Raises:
        CannotWrite: what stands at `path` is not ours to move.
    """
    path, commit_log = path.absolute(), CommitLog(state_dir.absolute())
    _refuse_unless_ours(path, commit_log)
    return [_move_aside(file, commit_log, moment) for file in (*_logs(path), path) if file.exists()]


def what_is_gone(
    con: duckdb.DuckDBPyConnection, state_dir: Path, *, untold: int | None = None, lost: Sequence[str] = ()
) -> str:
    """Return one sentence on what is missing from the state folder of an existing warehouse; empty if it is whole.

    Args:
        con: The warehouse.
        state_dir: Its state folder; nothing in it is changed.
        untold: How many commits of the warehouse the commit log lacked when this process started; null counts now.
            A crash leaves one; more means that the log was removed or cut.
        lost: Runs that were in the log alone and cannot be put back.
    """
    commit_log, archive, landing = CommitLog(state_dir), Archive(state_dir), Landing(state_dir / "landing")
    loads, runs = committed_loads(con), list(run_states(con))
    gone = sum(not landing.holds(load.snapshot_id) for load in loads)
    unkept = sum(not archive.sha256(run_id) for run_id in runs)
    if untold is None:
        told = {line.facts.get("load_id") or line.facts.get("run_id") for line in commit_log.read()}
        untold = sum(name not in told for name in (*(load.load_id for load in loads), *runs))
    missing = [
        f"the bytes as received of {gone} of {len(loads)} loads are gone" if gone else "",
        f"the commit log is gone or cut short ({untold} lines)" if untold > 1 else "",
        f"the archives of {unkept} of {len(runs)} runs are gone" if unkept else "",
        f"runs that only the commit log knew are lost: {', '.join(lost)}" if lost else "",
    ]
    if not any(missing):
        return ""
    told_so = "; ".join(filter(None, missing))
    return (
        f"{state_dir} is not whole: {told_so}. The figures stand, but the warehouse could not be built again from it; "
        "restore the folder from a backup"
    )


def remove_stale(path: Path, state_dir: Path) -> list[Path]:
    """Remove what only a crash leaves: temporary names of ours and spilled data; links are never followed."""
    patterns = [
        (path.parent, f".{escape(path.name)}*{TEMPORARY}"),
        (state_dir, f".*{TEMPORARY}"),
        (state_dir / "runs", f".*{TEMPORARY}"),
        (state_dir / "landing", f"*/.*{TEMPORARY}"),
        (state_dir / "spill", _SPILLED),
    ]
    removed = [file for folder, pattern in patterns for file in folder.glob(pattern) if is_ours(file)]
    for file in removed:
        if file.is_dir():
            shutil.rmtree(file)
        else:
            file.unlink()
    return removed


def _open_what_is_sound(
    opening: Callable[[], Warehouse], path: Path, commit_log: CommitLog, *, moment: datetime, deep: bool
) -> tuple[Warehouse, list[Path]]:
    """Move aside first the database's log, then the file itself, until the rest can be opened; return the new names too."""
    mark = commit_log.path.with_name(SUSPECT)
    deep = deep or mark.exists()
    moved: list[Path] = []
    steps: list[Callable[[], list[Path]]] = [lambda: _logs(path), lambda: [path]]
    while True:
        try:
            if deep and path.exists():
                _read(path)
            warehouse = opening()
            break
        except Damaged:
            _refuse_unless_ours(path, commit_log)
            candidates: list[Path] = []
            while steps and not candidates:
                candidates = [file for file in steps.pop(0)() if file.exists()]
            if not candidates:
                raise
            moved += [_move_aside(file, commit_log, moment) for file in candidates]
    mark.unlink(missing_ok=True)
    return warehouse, moved


def _read(path: Path) -> None:
    with connect(path) as con:
        read_everything(con)


def _logs(path: Path) -> list[Path]:
    return [log for log in (path.with_name(path.name + ending) for ending in LOGS) if log.exists()]


def _refuse_unless_ours(path: Path, commit_log: CommitLog) -> None:
    """Raise if the file at `path` is not a DuckDB file: a wrong path in the configuration must not move it."""
    if not path.exists() or path.stat().st_size == 0 or commit_log.read():
        return
    with path.open("rb") as file:
        if file.read(_MAGIC.stop)[_MAGIC] != b"DUCK":
            raise CannotWrite(f"{path} is not a DuckDB file; configure another path for the warehouse", where=path)


def _move_aside(path: Path, commit_log: CommitLog, moment: datetime) -> Path:
    sha256 = sha256_file(path)
    target = path.with_name(f"{path.name}.{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}.{sha256[:16]}")
    try:
        move(path, target)
    except OSError as error:
        raise cannot_write(path, error) from error
    commit_log.append("moved_aside", {"from": path.name, "to": target.name, "sha256": sha256})
    return target
