"""Find what a run compares its breaks with: the register as the runs before it left it.

A report of an earlier knowledge time repeats a run, or stands beside runs, that the register has long moved on from.
"""

import zipfile
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import polars as pl

from schemas.results import BREAK_REGISTER
from sql.earlier import published_runs
from sql.errors import Damaged
from sql.runs import Run, find_runs, read_register
from sql.storage.archive import Archive

_LOST = (
    "breaks have the states of today: how run {run_id} left them is told by its archive below {folder} alone, which is "
    "gone or damaged; restore it from a backup"
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a run comes after.

    `register` is `BREAK_REGISTER` as the runs before it left it. `moves` is true where its date is not before the
    newest they published, so that breaks change their state; `is_newest` where no run has moved the register since, so
    that it may be replaced. `repeated` is the published run that this one gives again, null where there is none.
    `note` tells of a register that is lost, else it is empty.
    """

    register: pl.DataFrame
    moves: bool
    is_newest: bool
    repeated: Run | None
    note: str = ""


def earlier(
    con: duckdb.DuckDBPyConnection,
    archive: Archive,
    *,
    run_key: str,
    as_of: date,
    known_at: datetime,
    asked: bool,
) -> Earlier:
    """Return what a run of this key, date and knowledge comes after.

    It repeats the first published run of its key or, where a knowledge time was asked for, of its date and that
    time, also under other settings: it then comes after the runs before that one. Else it comes after all that
    knew no more than it does.

    Args:
        con: The warehouse.
        archive: Where each run keeps the register as it left it.
        run_key: Hash of settings, code, date and knowledge.
        as_of: Civil date of the run.
        known_at: When the newest load or decision that it looks at became known.
        asked: Whether the knowledge time was given.
    """
    runs = published_runs(con)
    same = [run for run in runs if (run.as_of, run.known_at) == (as_of, known_at) and (asked or run.run_key == run_key)]
    first = same[0] if same else None
    # Clocks may go backwards: a run that was asked for no knowledge time comes after all others.
    before = [run for run in runs if (run.run_no < first.run_no if first else not asked or run.known_at <= known_at)]
    left_by, newest = ([run.run_id for run in some if run.moves_breaks][-1:] for some in (before, runs))
    is_newest = left_by == newest
    register = None
    if not is_newest:
        register = _left_by(left_by[0], archive) if left_by else BREAK_REGISTER.empty()
    is_lost = register is None and not is_newest
    return Earlier(
        register=read_register(con) if register is None else register,
        moves=all(run.as_of <= as_of for run in before),
        is_newest=is_newest,
        repeated=find_runs(con, run_id=first.run_id)[0] if first else None,
        note=_LOST.format(run_id=left_by[0], folder=archive.folder) if is_lost else "",
    )


def _left_by(run_id: str, archive: Archive) -> pl.DataFrame | None:
    """Return the register as a run left it; None where that is lost."""
    try:
        return archive.read(run_id, archive.sha256(run_id)).register
    except (Damaged, zipfile.BadZipFile):
        return None
