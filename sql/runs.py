"""Record what each run found, and answer which run and which load is which.

A run is recorded once, whatever happens to the process: its row, its reports
and the register of breaks are written together; writing the same id again replaces
them. What the reports show is not decided here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

import duckdb
import polars as pl

from schemas.reports import RECORDED, REPORTS
from schemas.results import BREAK_REGISTER
from schemas.words import HELD, PUBLISHED
from sql import shown
from sql.connection import transaction
from sql.core.short_ids import shortened
from sql.plan_history import NAME as PLAN_HISTORY
from sql.plan_history import as_stored
from sql.scripts import statements
from sql.storage.seals import as_json, canonical, from_json
from sql.views import insert


@dataclass(frozen=True, slots=True)
class Run:
    """One run that ended.

    `known_load` is the newest load it looked at, 0 for none. `moves_breaks` is
    true where the run replaces the register of breaks. `folder` starts at the
    folder of reports, so that it holds where a backup is restored elsewhere; null
    where none was written. `run_no` is 0 until the run is recorded.
    """

    run_id: str
    run_key: str
    as_of: date
    known_load: int
    known_at: datetime
    started_at: datetime
    ended_at: datetime
    state: str
    exit_code: int
    reason: str = ""
    folder: Path | None = None
    moves_breaks: bool = False
    summary: Mapping[str, Any] | None = None
    run_no: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the run as plain JSON values; its summary is a text of JSON."""
        return as_json(self) | {"summary": canonical(self.summary or {}).decode()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the run that `to_json` wrote."""
        return from_json({**fields, "summary": json.loads(fields["summary"])}, cls)


def known_load(con: duckdb.DuckDBPyConnection, at: datetime | None = None) -> int:
    """Return the newest load such that it and all before it were known at `at`; 0 if there is none.

    Without `at`, the newest load. Where a clock went backwards, a load that
    became known later hides the ones after it: nothing later than `at` is shown.
    """
    newest: int = con.sql("SELECT coalesce(max(load_no), 0) FROM meta.loads").fetchall()[0][0]
    if at is None:
        return newest
    later = con.sql("SELECT min(load_no) FROM meta.loads WHERE loaded_at > $at", params={"at": at}).fetchall()[0][0]
    return newest if later is None else int(later) - 1


def loaded_at(con: duckdb.DuckDBPyConnection, load_no: int) -> datetime | None:
    """Return when load `load_no` became known; None if there is no such load."""
    rows = con.sql("SELECT loaded_at FROM meta.loads WHERE load_no = $no", params={"no": load_no}).pl()
    return None if rows.is_empty() else rows.item()


def load_moments(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return `load_no`, `known_at` and `is_replay` (rows from quarantine) of every load."""
    found: pl.DataFrame = con.sql(statements("past/load_moments.sql")).pl()
    return found


def record_run(
    con: duckdb.DuckDBPyConnection, run: Run, frames: Mapping[str, pl.DataFrame], register: pl.DataFrame | None = None
) -> Run:
    """Record the run, its reports and the register of breaks in one transaction; return it with its number.

    `frames` are the reports of `RECORDED` as their Parquet holds them: money in
    major units as DECIMAL(20,4); and under the name of `PLAN_HISTORY` what the run adds to the history of plans. A run of the same id is replaced and keeps its
    number. The register is replaced if the run moves breaks and no later run did.

    Raises:
        ValueError: a report lacks a column or has it in another type.
    """
    with transaction(con):
        numbered = replace(run, run_no=_number(con, run))
        con.execute("DELETE FROM meta.runs WHERE run_id = $run_id", {"run_id": run.run_id})
        _write_run(con, numbered)
        for report in RECORDED:
            _write_report(con, report, run.run_id, frames.get(report))
        _write_history(con, run.run_id, frames.get(PLAN_HISTORY))
        if run.moves_breaks and register is not None and not _is_overtaken(con, numbered):
            _write_register(con, register)
    return numbered


def find_runs(
    con: duckdb.DuckDBPyConnection, *, as_of: date | None = None, state: str | None = None, run_id: str | None = None
) -> list[Run]:
    """Return the runs of a date, of a state, of an id, or all; in the order they ended."""
    selection = {"as_of": as_of, "state": state, "run_id": run_id}
    rows = con.sql(statements("queries/find_runs.sql"), params=selection).pl()
    return [Run.from_json(row) for row in rows.to_dicts()]


def latest_published(con: duckdb.DuckDBPyConnection) -> Run | None:
    """Return the published run that readers should see: of the newest as-of date, the one that ended last."""
    newest = "SELECT run_id FROM meta.runs WHERE state = $state ORDER BY as_of DESC, run_no DESC LIMIT 1"
    found = con.sql(newest, params={"state": PUBLISHED}).fetchall()
    return find_runs(con, run_id=found[0][0])[0] if found else None


def held_by_change(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the providers whose rows changed too much to be believed, in held runs that looked at a load which no published run has looked at."""
    newest = "SELECT coalesce(max(known_load), 0) FROM meta.runs WHERE state = $published"
    held = f"SELECT summary FROM meta.runs WHERE state = $held AND known_load > ({newest}) ORDER BY run_no"
    found = con.sql(held, params={"held": HELD, "published": PUBLISHED}).fetchall()
    return {name for (summary,) in found for name in json.loads(summary).get("held_by_change", ())}


def tenants_loaded(con: duckdb.DuckDBPyConnection, after: int, until: int) -> frozenset[tuple[str, str]]:
    """Return (provider, tenant) of each load with a number above `after` and at most `until`."""
    found = "SELECT DISTINCT provider, tenant_id FROM meta.loads WHERE load_no > $after AND load_no <= $until"
    return frozenset(con.sql(found, params={"after": after, "until": until}).fetchall())


def clock_skews(con: duckdb.DuckDBPyConnection, known: int) -> dict[tuple[str, str], int]:
    """Return per (provider, tenant) the seconds by which its clock was ahead of ours in the newest fetch up to `known`.

    Below zero where it was behind; of several answers the worst; absent where it told no time.
    """
    found = con.sql(statements("queries/clock_skews.sql"), params={"known": known}).fetchall()
    return {(provider, tenant): seconds for provider, tenant, seconds in found}


def run_states(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the state of every run by its id, in the order they ended; without their summaries, which are long."""
    return dict(con.sql("SELECT run_id, state FROM meta.runs ORDER BY run_no").fetchall())


def severities(con: duckdb.DuckDBPyConnection, run: Run) -> dict[str, str]:
    """Return the severity of each break that a run showed, by fingerprint."""
    found = "SELECT fingerprint, severity FROM out.breaks WHERE run_id = $run_id ORDER BY fingerprint"
    return dict(con.sql(found, params={"run_id": run.run_id}).fetchall())


def read_register(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return the register of breaks as the last run that moved it left it; empty before the first."""
    frame = con.sql("SELECT * FROM meta.break_register ORDER BY fingerprint").pl()
    return BREAK_REGISTER.gate(frame)


def replace_register(con: duckdb.DuckDBPyConnection, register: pl.DataFrame | None) -> None:
    """Make `register` the register of breaks; None leaves it empty."""
    with transaction(con):
        _write_register(con, BREAK_REGISTER.empty() if register is None else register)


def report_frames(folder: Path) -> dict[str, pl.DataFrame]:
    """Return the reports to record as the Parquet of a run folder holds them."""
    paths = {report: folder / f"{report}.parquet" for report in RECORDED}
    return {report: pl.read_parquet(path, glob=False) for report, path in paths.items() if path.is_file()}


def with_later_columns(frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return what `record_run` takes of `frames`, of any earlier version: reports have later columns null in every row."""
    reports = {name: REPORTS[name].columns for name in RECORDED}
    return {
        name: frame.with_columns(
            pl.lit(None, column.kind.value).alias(column.name)
            for column in reports.get(name, ())
            if column.name not in frame.columns
        )
        for name, frame in frames.items()
        if name in reports or name == PLAN_HISTORY
    }


def _number(con: duckdb.DuckDBPyConnection, run: Run) -> int:
    recorded = find_runs(con, run_id=run.run_id)
    if recorded:
        return recorded[0].run_no
    if run.run_no:
        return run.run_no
    last: int = con.sql("SELECT coalesce(max(run_no), 0) FROM meta.runs").fetchall()[0][0]
    return last + 1


def _is_overtaken(con: duckdb.DuckDBPyConnection, run: Run) -> bool:
    later = con.sql("SELECT 1 FROM meta.runs WHERE moves_breaks AND run_no > $no", params={"no": run.run_no})
    return bool(later.fetchall())


def _write_run(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    con.execute(statements("queries/insert_run.sql"), run.to_json())


def _write_report(con: duckdb.DuckDBPyConnection, report: str, run_id: str, frame: pl.DataFrame | None) -> None:
    if report == shown.NAME:
        shown.forget(con, run_id)
    else:
        con.execute(f"DELETE FROM out.{report} WHERE run_id = $run_id", {"run_id": run_id})
    if frame is None:
        return
    shape = {column.name: column.kind.value for column in REPORTS[report].columns}
    found = {name: frame.schema.get(name, "missing") for name in shape}
    wrong = [
        f"{name} ({found[name]}, expected {dtype})" for name, dtype in shape.items() if not _fits(found[name], dtype)
    ]
    if wrong:
        raise ValueError(f"report {report} cannot be recorded: {', '.join(wrong)}; pass it as its Parquet holds it")
    rows = frame.select(pl.lit(run_id).alias("run_id"), *shape)
    if report == shown.NAME:
        con.register("given", rows)
        shown.keep(con, "given")
        con.unregister("given")
    else:
        insert(con, f"INSERT INTO out.{report} BY NAME SELECT * FROM given", rows)


def _write_history(con: duckdb.DuckDBPyConnection, run_id: str, frame: pl.DataFrame | None) -> None:
    con.execute("DELETE FROM meta.plan_history WHERE run_id = $run_id", {"run_id": run_id})
    if frame is not None:
        rows = shortened(PLAN_HISTORY, as_stored(frame)).select(pl.lit(run_id).alias("run_id"), pl.all())
        insert(con, "INSERT INTO meta.plan_history BY NAME SELECT * FROM given", rows)


def _fits(found: pl.DataType | str, dtype: pl.DataType) -> bool:
    return found in (dtype, pl.Null())


def _write_register(con: duckdb.DuckDBPyConnection, register: pl.DataFrame) -> None:
    con.execute("DELETE FROM meta.break_register")
    insert(con, "INSERT INTO meta.break_register BY NAME SELECT * FROM given", BREAK_REGISTER.gate(register))
