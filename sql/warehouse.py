"""The one DuckDB file: opened by one writer at a time, with every table and view in place.

How a connection is made safe is in `connection.py`, what to do after a crash in
`recovery.py`. Everything in the file can be rebuilt from the landing, the
commit log and the archive of runs.
"""

import importlib.metadata
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from sql.connection import Limits, checkpoint, connect, transaction
from sql.core.short_ids import shorten_stored
from sql.errors import Damaged, NoWarehouse, StoreError, WrongVersion
from sql.plan_history import narrow_stored
from sql.report_tables import add_columns
from sql.scripts import create_tables, fingerprint, view_names
from sql.shown import part_stored
from sql.storage.files import make_new, private_folder, write_atomic
from sql.views import fill_currencies, make_views, shown_folder

SCHEMA_VERSION = 4
"""Version of the tables; a file of a newer one is refused."""

_MADE: dict[tuple[int, str], bytes] = {}
"""The file with tables and views and no row of a tenant, once this process has made one: each new one is the same."""

SUSPECT = "suspect"
"""Name of the mark that makes the next start read every block of the file."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """An open warehouse; `con` is the only connection to it in this process."""

    path: Path
    state_dir: Path
    con: duckdb.DuckDBPyConnection = field(repr=False)
    _opened: tuple[int, int] = field(repr=False)

    @classmethod
    @contextmanager
    def open(
        cls,
        path: Path,
        *,
        state_dir: Path,
        read_only: bool = False,
        folders: Sequence[Path] = (),
        limits: Limits | None = None,
        tries: int = 1,
    ) -> Iterator["Warehouse"]:
        """Yield the warehouse at `path`; tables and views are made where they are missing.

        `folders` are where reports lie; SQL may touch no other place. If the file
        turns out damaged while it is used, the next recovery will read all of it.

        Raises:
            NoWarehouse: there is none to read.
            StoreError: the file is held, damaged, of another version or cannot be written.
        """
        path = path.absolute()
        if read_only and not path.exists():
            raise NoWarehouse(f"there is no warehouse at {path}; call `planrecon run` first", where=path)
        private_folder(state_dir)
        spill = None if read_only else state_dir / "spill"
        made, is_new = (SCHEMA_VERSION, fingerprint()), not path.exists()
        if is_new and not read_only and made in _MADE and not path.with_name(f"{path.name}.wal").exists():
            make_new(path, _MADE[made])
        try:
            with connect(path, read_only=read_only, folders=folders, spill=spill, limits=limits, tries=tries) as con:
                about = _about(con)
                _check_version(about, path)
                is_complete = read_only or about.get("made_from") == fingerprint()
                if not is_complete and _complete(con, path, folders) and is_new:
                    _MADE[made] = path.read_bytes()
                yield cls(path, state_dir, con, _identity(path))
        except Damaged as error:
            write_atomic(state_dir / SUSPECT, f"{error}\n".encode())
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything done inside or nothing, and only to the file that this process opened."""
        self.refuse_if_replaced()
        with transaction(self.con):
            yield

    def load_ids(self) -> set[str]:
        """Return the ids of all committed loads."""
        return {row[0] for row in self.con.sql("SELECT load_id FROM meta.loads").fetchall()}

    def newest_snapshots(self) -> dict[tuple[str, str], str]:
        """Return, by provider and tenant, the id of the newest snapshot that was loaded; ids begin with their time."""
        rows = self.con.sql("SELECT provider, tenant_id, max(snapshot_id) FROM meta.loads GROUP BY ALL").fetchall()
        return {(provider, tenant): newest for provider, tenant, newest in rows}

    def tenants(self) -> list[tuple[str, str]]:
        """Return provider and tenant of every load so far, in order."""
        return self.con.sql("SELECT DISTINCT provider, tenant_id FROM meta.loads ORDER BY ALL").fetchall()

    def refuse_if_replaced(self) -> None:
        """Raise `StoreError` in a forked child, or where another file took the place of ours."""
        if _identity(self.path) != self._opened:
            message = f"{self.path} was opened by another process or replaced by another file; nothing was written"
            raise StoreError(f"{message}, run again", where=self.path)


def read_everything(con: duckdb.DuckDBPyConnection) -> int:
    """Read every row of every table, so that a flipped bit anywhere is found; return the number of rows."""
    tables = con.sql("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY ALL").fetchall()
    rows = 0
    for schema, table in tables:
        name = f'"{schema}"."{table}"'
        rows += con.sql(f"SELECT count(*), bit_xor(hash(each_row)) FROM {name} AS each_row").fetchall()[0][0]
    return rows


def _about(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return what the file says of itself, by name; nothing where it has no tables of ours yet."""
    try:
        return dict(con.sql("SELECT name, value FROM meta.about").fetchall())
    except duckdb.CatalogException:
        return {}


def _check_version(about: Mapping[str, str], path: Path) -> None:
    found = about.get("schema_version", SCHEMA_VERSION)
    if int(found) != SCHEMA_VERSION:
        message = f"{path} has tables of version {found}, this program writes version {SCHEMA_VERSION}"
        advice = "use the program that wrote it, or call `planrecon rebuild` to make it again from the landing"
        raise WrongVersion(f"{message}; {advice}", where=path)


def _refuse_unknown_views(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise where the file has views that this program does not make: what a newer one added would be left half told."""
    asked = "SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND starts_with(view_name, 'v_')"
    unknown = sorted({name for (name,) in con.sql(asked).fetchall()} - view_names())
    if not unknown:
        return
    last = con.sql("SELECT summary FROM meta.runs ORDER BY run_no DESC LIMIT 1").fetchall()
    wrote = f"version {json.loads(last[0][0])['code_version']}" if last else "another version"
    raise WrongVersion(
        f"{path} was last written by planrecon {wrote} and has views that this one, version "
        f"{importlib.metadata.version('planrecon')}, does not make: {', '.join(unknown)}; use that program, drop the views "
        "if they are your own, or call `planrecon rebuild` to make the file again from the landing",
        where=path,
    )


def _complete(con: duckdb.DuckDBPyConnection, path: Path, folders: Sequence[Path]) -> bool:
    """Make tables and views where they are missing; tell whether there were none."""
    with transaction(con):
        con.execute("CREATE SCHEMA IF NOT EXISTS meta")
        is_new = not con.sql("SELECT 1 FROM duckdb_tables() WHERE schema_name = 'meta'").fetchall()
        _refuse_unknown_views(con, path)
        shorten_stored(con)
        add_columns(con)
        part_stored(con)
        narrow_stored(con)
        create_tables(con)
        fill_currencies(con)
        shown = shown_folder(con)
        is_here = shown is not None and any(shown.is_relative_to(folder.resolve()) for folder in folders)
        make_views(con, shown if is_here else None)
        facts = {"version": str(SCHEMA_VERSION), "made_from": fingerprint()}
        con.execute(
            "INSERT OR REPLACE INTO meta.about VALUES ('schema_version', $version), ('made_from', $made_from)", facts
        )
    checkpoint(con)
    return is_new


def _identity(path: Path) -> tuple[int, int]:
    return (os.getpid(), path.stat().st_ino)
