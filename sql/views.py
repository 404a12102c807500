"""Show users the latest published run: stable views over its Parquet and over the ledger.

The same views are in the warehouse and in the small `read.duckdb` of each run
folder, so that readers need not wait for a writer. What they show is defined in `views/`;
where the rows come from is decided here.
"""

import os
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import polars as pl

from schemas.columns import COLUMNS
from schemas.currencies import EXPONENTS
from schemas.reports import REPORTS
from sql.connection import NEW_FILES, as_pattern, checkpoint, connect, quoted, transaction
from sql.errors import CannotWrite
from sql.plan_history import narrow_stored, recent_history
from sql.scripts import create_tables, fingerprint, run_scripts, statements
from sql.storage.files import TEMPORARY, cannot_write, open_private, put_in_place, write_atomic

_LEDGER = ("loads", "fetches", "quarantine", "replayed", "runs", "writes", "agreed_terms", "acceptances", "currencies")
"""Tables of `meta` that views read."""

BLANK = "blank.duckdb"
"""File of the state folder that keeps the small database over no run: a line with the SHA-256 of all it was made from and of
the rest. It may be taken away at any time: then it is made again."""

_MADE: list[bytes] = []
"""The same, once this process has made or read it."""

_NAMED_OTHERWISE: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        **{
            (f"v_{report.name}", name): other
            for report in REPORTS.values()
            for name, other in {**report.renamed, **report.told_as}.items()
        },
        ("v_acceptances", "currency"): "break_currency",
        ("v_changes", "after"): "value_after",
        ("v_changes", "before"): "value_before",
        ("v_changes", "column_name"): "changed_column",
        ("v_customers", "bucket"): "worst_bucket",
        ("v_customers", "bucket_no"): "worst_bucket_no",
        ("v_customers", "days_past_due"): "worst_days_past_due",
        ("v_daily", "terms"): "aged_terms",
        ("v_fetches", "reason"): "fetch_reason",
        ("v_plan_changes", "after"): "version_after",
        ("v_plan_changes", "before"): "version_before",
        ("v_plan_changes", "column_name"): "version_column",
        ("v_plan_changes", "entity"): "version_entity",
        ("v_plan_changes", "id"): "version_id",
        ("v_plan_changes", "known_at"): "version_known_at",
        ("v_plan_history", "bucket_no"): "bucket_no_then",
        ("v_quarantine", "amount"): "rejected_minor",
        ("v_quarantine", "code"): "rejection_code",
        ("v_quarantine", "currency"): "break_currency",
        ("v_quarantine", "first_seen"): "first_rejected",
        ("v_quarantine", "last_seen"): "last_rejected",
        ("v_quarantine", "reason"): "rejection_reason",
        ("v_quarantine", "rows"): "rejected_rows",
        ("v_runs", "ended_at"): "run_ended_at",
        ("v_runs", "reason"): "run_reason",
        ("v_runs", "state"): "run_state",
        ("v_writes", "amount"): "wanted_minor",
        ("v_writes", "currency"): "break_currency",
        ("v_writes", "plan_id"): "wanted_plan_id",
        ("v_writes", "reason"): "write_reason",
        ("v_writes", "state"): "write_state",
    }
)
"""View columns that take their meaning from a column of another name."""


_PLAN_CHANGES = (
    "CREATE OR REPLACE MACRO out.plan_changes(since) AS TABLE SELECT * FROM meta.plan_changes WHERE load_no > since"
)
"""What makes the changes of plans where the versions are not in the file, but the newest of them were put beside it."""


def refresh_views(con: duckdb.DuckDBPyConnection, folder: Path | None) -> None:
    """Make every view show the run in `folder`; without one they have their columns and no rows.

    One transaction: a reader sees all views of one run. Extra columns of the
    Parquet are not shown, missing ones are null. The views themselves stay: only where their rows come from changes.
    """
    with transaction(con):
        _show(con, folder)
        for report in REPORTS:
            con.sql(f"FROM out.latest_{report}()")  # raises if its Parquet cannot be read


def make_views(con: duckdb.DuckDBPyConnection, folder: Path | None) -> None:
    """Make the views anew, with what their columns mean, over the run in `folder`; inside the caller's transaction."""
    for report in REPORTS:
        con.execute(f"DROP VIEW IF EXISTS out.latest_{report}")  # what earlier versions called it: users saw it
    _show(con, folder)
    con.execute(statements("queries/plan_changes.sql") if _has_versions(con) else _PLAN_CHANGES)
    run_scripts(con, "views")
    _explain_columns(con)


def _show(con: duckdb.DuckDBPyConnection, folder: Path | None) -> None:
    for report in REPORTS:
        con.execute(_source(report, folder))
    con.execute(
        "INSERT OR REPLACE INTO meta.about BY NAME SELECT 'shown_folder' AS name, $folder AS value",
        {"folder": str(folder.resolve()) if folder else ""},
    )


def shown_folder(con: duckdb.DuckDBPyConnection) -> Path | None:
    """Return the run folder the views read; None before the first publication."""
    rows = con.sql("SELECT value FROM meta.about WHERE name = 'shown_folder' AND value <> ''").fetchall()
    return Path(rows[0][0]) if rows else None


def fill_currencies(con: duckdb.DuckDBPyConnection) -> None:
    """Store what one minor unit of each currency is worth, from the program's one list."""
    frame = pl.DataFrame(
        {"currency": list(EXPONENTS), "minor_unit": [f"0.{'0' * (n - 1)}1" if n else "1" for n in EXPONENTS.values()]}
    )
    insert(con, "INSERT OR REPLACE INTO meta.currencies BY NAME SELECT currency, minor_unit FROM given", frame)


def insert(con: duckdb.DuckDBPyConnection, statement: str, rows: Any) -> None:
    """Run an INSERT that reads `rows`, a frame or a stream of Arrow, under the name `given`."""
    con.register("given", rows)
    try:
        con.execute(statement)
    finally:
        con.unregister("given")


def write_read_duckdb(
    path: Path, folder: Path, con: duckdb.DuckDBPyConnection, *, state_dir: Path | None = None
) -> Path:
    """Write the small database that readers open: the views over `folder`, the ledger as of now.

    `folder` must hold the Parquet under its final name: the views keep its
    absolute path, so that they work from any working directory. `path` is
    replaced at once, so readers of the old file keep it. What is the same for every run is kept in `state_dir`.
    """
    draft = remove_draft(path)
    _begin(draft, state_dir / BLANK if state_dir else None)
    with connect(draft, folders=[folder.resolve()]) as small:
        with transaction(small):
            for table in _LEDGER:
                frame = con.sql(f"SELECT * FROM meta.{table} ORDER BY ALL").pl()
                insert(small, f"INSERT INTO meta.{table} BY NAME SELECT * FROM given", frame)
            _write_history(small, con)
            _show(small, folder)
        checkpoint(small)
    put_in_place(draft, path)
    return path


def remove_draft(path: Path) -> Path:
    """Remove what a stopped process left of the small database that it wrote for `path`; return where it is written."""
    draft = path.with_name(f".{path.name}{TEMPORARY}")
    _remove(draft)
    return draft


def _begin(draft: Path, kept: Path | None) -> None:
    """Make the small database over no run: its tables and views are the same for every run, so they are made once."""
    if not _MADE:
        _MADE.extend(_blank(kept))
    if not _MADE:
        with connect(draft) as con:
            with transaction(con):
                create_tables(con, ("meta", "out"))
                make_views(con, None)
            checkpoint(con)
        _MADE.append(draft.read_bytes())
        if kept is not None:
            write_atomic(kept, _seal(_MADE[0]) + b"\n" + _MADE[0])
        return
    try:
        with open_private(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
            file.write(_MADE[0])
    except OSError as error:
        raise cannot_write(draft, error) from error


def _blank(kept: Path | None) -> list[bytes]:
    """Return what an earlier process kept; nothing where it is gone, damaged or was made from something else."""
    try:
        seal, _, body = kept.read_bytes().partition(b"\n") if kept else (b"", b"", b"")
    except OSError:
        return []
    return [body] if seal == _seal(body) else []


def _seal(body: bytes) -> bytes:
    made_from = (fingerprint(), duckdb.__version__, f"{NEW_FILES}", Path(__file__).read_text(encoding="utf-8"))
    return sha256("\0".join(made_from).encode() + body).hexdigest().encode()


def _write_history(small: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection) -> None:
    """Give readers the figures of every run that are few, and of plans those of the newest runs."""
    history, since = recent_history(con)
    for rows in history:
        insert(small, "INSERT INTO meta.plan_history BY NAME SELECT * FROM given", rows)
    small.execute("INSERT INTO meta.about VALUES ('history_from', $since)", {"since": str(since)})
    first = "SELECT coalesce(max(known_load), 0) FROM meta.runs WHERE run_no = $since"
    [(load_no,)] = con.sql(first, params={"since": since}).fetchall()
    changes = con.sql("SELECT * FROM out.plan_changes($since) ORDER BY ALL", params={"since": load_no}).pl()
    insert(small, "INSERT INTO meta.plan_changes BY NAME SELECT * FROM given", changes)
    daily = con.sql("SELECT * FROM out.aging ORDER BY ALL").pl()
    insert(small, "INSERT INTO out.aging BY NAME SELECT * FROM given", daily)


def has_moved(con: duckdb.DuckDBPyConnection, folder: Path) -> bool:
    """Tell whether the views read another folder than the one the file lies in; false if it is no file of ours."""
    if not con.sql("SELECT 1 FROM duckdb_tables() WHERE schema_name = 'meta' AND table_name = 'about'").fetchall():
        return False
    shown = shown_folder(con)
    return shown is not None and shown != folder.resolve()


def show_moved(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make in `con`, which is in memory, the views and the ledger of a `read.duckdb` over the folder it lies in now."""
    con.execute(f"ATTACH {quoted(str(path))} AS moved (READ_ONLY)")
    with transaction(con):
        held = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'moved' AND schema_name = 'meta'"
        there = {name for (name,) in con.sql(held).fetchall()}  # an earlier version wrote fewer
        if "plan_history" in there:
            con.execute("CREATE SCHEMA meta; CREATE TABLE meta.plan_history AS FROM moved.meta.plan_history")
            narrow_stored(con)
        create_tables(con, ("meta", "out"))
        for table in filter(there.__contains__, _LEDGER):
            con.execute(f"INSERT INTO meta.{table} BY NAME SELECT * FROM moved.meta.{table}")
        if "plan_history" in there:
            con.execute("INSERT INTO meta.plan_changes BY NAME SELECT * FROM moved.meta.plan_changes")
            con.execute("INSERT INTO meta.about SELECT * FROM moved.meta.about WHERE name = 'history_from'")
            con.execute("INSERT INTO out.aging BY NAME SELECT * FROM moved.out.aging")
        make_views(con, path.parent)
    con.execute("DETACH moved")


def _source(report: str, folder: Path | None) -> str:
    """Return the statement that makes the rows of a report: a macro, which does not show in lists of tables."""
    shape = f"CREATE OR REPLACE MACRO out.latest_{report}() AS TABLE SELECT * FROM out.{report} WHERE false"
    parquet = folder.resolve() / f"{report}.parquet" if folder else None
    if parquet is None or not parquet.is_file():
        return shape
    return f"{shape} UNION ALL BY NAME SELECT * FROM read_parquet({quoted(as_pattern(str(parquet)))}, hive_partitioning = false)"


def _has_versions(con: duckdb.DuckDBPyConnection) -> bool:
    return bool(
        con.sql("SELECT 1 FROM duckdb_tables() WHERE schema_name = 'core' AND table_name = 'plan_versions'").fetchall()
    )


def _explain_columns(con: duckdb.DuckDBPyConnection) -> None:
    columns = con.sql(statements("queries/view_columns.sql")).fetchall()
    con.execute(";".join(f'COMMENT ON COLUMN main.{view}."{name}" IS {_meaning(view, name)}' for view, name in columns))


@cache
def _meaning(view: str, name: str) -> str:
    """Return what a column of a view means, as an SQL string literal."""
    known_as = _NAMED_OTHERWISE.get((view, name), name)
    column = next(COLUMNS[key] for key in (f"{known_as}_minor", f"{known_as}_ppm", known_as) if key in COLUMNS)
    return quoted(column.comment())


def _remove(draft: Path) -> None:
    for leftover in (draft, draft.with_name(f"{draft.name}.wal")):
        if leftover.is_dir():
            raise CannotWrite(f"{leftover} is a folder; remove it and run again", where=leftover)
        leftover.unlink(missing_ok=True)
