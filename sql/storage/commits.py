"""Tell the witness what was committed, and read back what it was told.

Called after every commit and at every start; saying it twice adds nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from dataclasses import fields as dataclass_fields
from datetime import datetime
from typing import Any, Self

import duckdb
import polars as pl

from sql.errors import Damaged
from sql.runs import Run, find_runs, record_run, run_states
from sql.scripts import statements
from sql.storage.archive import Archive
from sql.storage.commit_log import Witness
from sql.storage.seals import read_time, write_time

LOAD, RUN = "load", "run"


@dataclass(frozen=True, slots=True)
class WitnessedLoad:
    """A load as the witness tells it: enough to do it again under the same number, id and time."""

    load_no: int
    load_id: str
    provider: str
    tenant_id: str
    snapshot_id: str
    loaded_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return the load as plain JSON values."""
        return {**asdict(self), "loaded_at": write_time(self.loaded_at)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the load that `to_json` wrote; other fields are left alone."""
        plain = {each.name: fields[each.name] for each in dataclass_fields(cls)}
        return cls(**{**plain, "loaded_at": read_time(fields["loaded_at"])})


def committed_loads(con: duckdb.DuckDBPyConnection) -> list[WitnessedLoad]:
    """Return the loads in the file, by number."""
    return [WitnessedLoad(**row) for row in con.sql(statements("queries/committed_loads.sql")).pl().to_dicts()]


def rebuild_order(witness: Witness) -> list[WitnessedLoad]:
    """Return every load the witness knows, in the order to load them into an empty file."""
    return [WitnessedLoad.from_json(line.facts) for line in witness.read(LOAD)]


def tell_loads(con: duckdb.DuckDBPyConnection, witness: Witness) -> list[int]:
    """Tell the witness of each committed load it does not know; return their numbers.

    Raises:
        Damaged: witness and file tell of different loads under one number.
    """
    told, found = rebuild_order(witness), committed_loads(con)
    for known, here in zip(told, found, strict=False):
        if (known.load_no, known.load_id) != (here.load_no, here.load_id):
            message = f"load {here.load_no} of the warehouse is not the one {witness.path} tells of"
            advice = "the state folder belongs to another warehouse: configure the pair that belongs together"
            raise Damaged(f"{message}; {advice}", where=witness.path)
    fresh = found[len(told) :]
    for load in fresh:
        witness.append(LOAD, load.to_json())
    return [load.load_no for load in fresh]


def end_run(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    frames: Mapping[str, pl.DataFrame],
    register: pl.DataFrame | None = None,
    *,
    witness: Witness,
    archive: Archive,
) -> Run:
    """Record the run for good: in the archive, in the warehouse, with the witness; return it with its number.

    Killed anywhere and called again with the same run, the result is the same.
    """
    kept = archive.keep(run, frames, register)
    recorded = record_run(con, run, frames, register)
    _tell_run(witness, recorded, kept)
    return recorded


def tell_runs(con: duckdb.DuckDBPyConnection, witness: Witness, archive: Archive) -> list[str]:
    """Tell the witness of each recorded run it does not know, or knows in another state; return their ids."""
    told = {line.facts["run_id"]: line.facts["state"] for line in witness.read(RUN)}
    fresh = [run_id for run_id, state in run_states(con).items() if told.get(run_id) != state]
    for run_id in fresh:
        for run in find_runs(con, run_id=run_id):
            _tell_run(witness, run, archive.sha256(run_id))
    return fresh


def restore_runs(con: duckdb.DuckDBPyConnection, witness: Witness, archive: Archive) -> tuple[list[str], list[str]]:
    """Record again each run the witness knows and the file does not.

    Returns:
        Ids of the runs that are back, and of those whose archive is gone or damaged.
    """
    here = run_states(con)
    told = {line.facts["run_id"]: line.facts for line in witness.read(RUN) if line.facts["run_id"] not in here}
    restored, lost = [], []
    for run_id, facts in told.items():
        try:
            kept = archive.read(run_id, facts["archive"])
        except Damaged:
            lost.append(run_id)
            continue
        moves = kept.run.moves_breaks and facts["state"] == kept.run.state  # what nobody saw moved nothing
        run = replace(kept.run, run_no=facts["run_no"], state=facts["state"], moves_breaks=moves)
        record_run(con, run, kept.frames, kept.register)
        restored.append(run_id)
    return restored, lost


def _tell_run(witness: Witness, run: Run, archive: str) -> None:
    facts = {"run_id": run.run_id, "run_no": run.run_no, "as_of": run.as_of.isoformat(), "state": run.state}
    facts["archive"] = archive
    if not any(line.facts == facts for line in witness.read(RUN)):
        witness.append(RUN, facts)
