"""Write to the commit log what was committed, and read it back.

Called after every commit and at every start; a second call adds no line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import duckdb
import msgspec
import polars as pl
from msgspec import Struct

from schemas.intake import HELD
from sql.errors import Damaged
from sql.quarantine import taken_in
from sql.runs import Run, find_runs, record_run, run_states, with_later_columns
from sql.scripts import statements
from sql.storage.archive import Archive
from sql.storage.commit_log import CommitLog
from sql.storage.seals import as_json, from_json

LOAD, RUN, DECISIONS = "load", "run", "decisions"


class Refused(Struct, frozen=True, array_like=True):
    """A reason why a row was refused by load `load_no` that a replay brought in later; never a value of the row."""

    load_no: int
    entity: str
    page_no: int
    position: int
    code: str
    column: str | None
    reason: str
    key: str | None
    rows: int
    amount_minor: int | None
    currency: str | None
    is_decoded: bool


class CommittedLoad(Struct, frozen=True, omit_defaults=True):
    """A load as the commit log has it: enough to do it again under the same number, id and time.

    `mode` is REPLAY for one that brought in rows refused before, else empty and, as in lines of old, left out. Such a
    one names in `refused` what it brought in, for the load that refused it to refuse it again when it is made anew.
    """

    load_no: int
    load_id: str
    provider: str
    tenant_id: str
    snapshot_id: str
    loaded_at: datetime
    mode: str = ""
    refused: tuple[Refused, ...] = ()


def committed_loads(con: duckdb.DuckDBPyConnection) -> list[CommittedLoad]:
    """Return the loads in the file, by number; what they brought in of refused rows is read when they are logged."""
    return [CommittedLoad(**row) for row in con.sql(statements("queries/committed_loads.sql")).pl().to_dicts()]


def rebuild_order(commit_log: CommitLog) -> list[CommittedLoad]:
    """Return every load of the commit log, in the order to load them into an empty file."""
    return [from_json(line.facts, CommittedLoad) for line in commit_log.read(LOAD)]


def held_back(loads: Sequence[CommittedLoad]) -> pl.DataFrame:
    """Return `HELD`: what the replays among `loads` brought in and the loads before them must refuse again."""
    rows = [msgspec.structs.astuple(one) for load in loads for one in load.refused]
    return pl.DataFrame(rows, schema=dict(HELD), orient="row")


def log_loads(con: duckdb.DuckDBPyConnection, commit_log: CommitLog) -> list[int]:
    """Write a line for each committed load that the commit log lacks; return their numbers.

    Raises:
        Damaged: commit log and warehouse have different loads under one number.
    """
    logged, stored = rebuild_order(commit_log), committed_loads(con)
    for there, here in zip(logged, stored, strict=False):
        if (there.load_no, there.load_id) != (here.load_no, here.load_id):
            message = f"load {here.load_no} of the warehouse is not the one {commit_log.path} tells of"
            advice = "the state folder belongs to another warehouse: configure the pair that belongs together"
            raise Damaged(f"{message}; {advice}", where=commit_log.path)
    fresh = stored[len(logged) :]
    for load in fresh:
        rows = taken_in(con, load.load_no).iter_rows(named=True) if load.mode == "REPLAY" else ()
        commit_log.append(LOAD, as_json(msgspec.structs.replace(load, refused=tuple(Refused(**row) for row in rows))))
    return [load.load_no for load in fresh]


def end_run(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    frames: Mapping[str, pl.DataFrame],
    register: pl.DataFrame | None = None,
    *,
    commit_log: CommitLog,
    archive: Archive,
) -> Run:
    """Record the run for good: in the archive, in the warehouse, in the commit log; return it with its number.

    Killed anywhere and called again with the same run, the result is the same.
    """
    kept = archive.keep(run, frames, register)
    recorded = record_run(con, run, frames, register)
    _log_run(commit_log, recorded, kept)
    return recorded


def log_runs(con: duckdb.DuckDBPyConnection, commit_log: CommitLog, archive: Archive) -> list[str]:
    """Write a line for each recorded run that the commit log lacks or has in another state; return their ids."""
    logged = {line.facts["run_id"]: line.facts["state"] for line in commit_log.read(RUN)}
    fresh = [run_id for run_id, state in run_states(con).items() if logged.get(run_id) != state]
    for run_id in fresh:
        for run in find_runs(con, run_id=run_id):
            _log_run(commit_log, run, archive.sha256(run_id))
    return fresh


def restore_runs(
    con: duckdb.DuckDBPyConnection, commit_log: CommitLog, archive: Archive
) -> tuple[list[str], list[str]]:
    """Record again each run that is in the commit log and not in the warehouse.

    Returns:
        Ids of the runs that are back, and of those whose archive is gone or damaged.
    """
    here = run_states(con)
    missing = {line.facts["run_id"]: line.facts for line in commit_log.read(RUN) if line.facts["run_id"] not in here}
    restored, lost = [], []
    for run_id, facts in missing.items():
        try:
            kept = archive.read(run_id, facts["archive"])
        except Damaged:
            lost.append(run_id)
            continue
        moves = kept.run.moves_breaks and facts["state"] == kept.run.state  # a run that was not shown changed no break
        run = replace(kept.run, run_no=facts["run_no"], state=facts["state"], moves_breaks=moves)
        record_run(con, run, with_later_columns(kept.frames), kept.register)
        restored.append(run_id)
    return restored, lost


def _log_run(commit_log: CommitLog, run: Run, archive: str) -> None:
    facts = {"run_id": run.run_id, "run_no": run.run_no, "as_of": run.as_of.isoformat(), "state": run.state}
    facts["archive"] = archive
    if not any(line.facts == facts for line in commit_log.read(RUN)):
        commit_log.append(RUN, facts)
