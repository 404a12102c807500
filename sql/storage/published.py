"""Check every published folder against its manifest and against itself, with the standard library and DuckDB alone.

Part of `verification`: nothing that wrote the folders is used.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from glob import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb

from sql.storage.balances import LOCKED_DOWN, inconsistent

_SHOWN = ("due_today", "overdue", "overdue_past_grace", "amount_due", "pending", "outstanding")
"""Money columns of the page's table by provider and currency, its last ones, as `plans` calls them."""


def reports(reports_dir: Path, warehouse: Path, faults: list[str]) -> str:
    """Check every run folder, and that `latest` points at a published one; return what was seen."""
    manifests = sorted(reports_dir.glob("**/manifest.json")) if reports_dir.is_dir() else []
    files = pruned = 0
    latest = reports_dir / "latest"
    with duckdb.connect(config=LOCKED_DOWN) as con:
        kept = _kept(con, warehouse)
        for path in manifests:
            if path.parent.is_relative_to(latest):
                continue
            is_latest = path.parent.resolve() == latest.resolve()
            again = f"make it again with `planrecon report --as-of {path.parent.parent.name.removeprefix('as_of=')}`"
            try:
                told = json.loads(path.read_bytes())
                files, pruned = files + len(told["files"]), pruned + ("pruned" in told)
                wrong = list(_changed_files(path.parent, told["files"]))
                wrong = wrong or list(_wrong(con, path.parent, told, kept, is_latest=is_latest))
            except (OSError, ValueError, KeyError, TypeError, ArithmeticError, duckdb.Error) as error:
                wrong = [f"its manifest or a table cannot be read ({str(error).splitlines()[0]})"]
            faults += [f"{path.parent}: {fault}; {again}" for fault in wrong]
    if latest.is_symlink() and not (latest / "manifest.json").is_file():
        faults.append(f"{latest} points at nothing that was published; the next run points it again")
    told_so = f", {pruned:,} without their large files" if pruned else ""
    return f"{len(manifests):,} run folders{told_so}, {files:,} files"


def _changed_files(folder: Path, files: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for file in files:
        path = folder / file["name"]
        if not path.is_file() or path.is_symlink():
            yield f"{file['name']} is missing"
        elif path.stat().st_size != file["bytes"] or sha256(path) != file["sha256"]:
            yield f"{file['name']} is not what was published"


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the warehouse, attached as `kept`, holds of published runs: their ids, and the tables with rows per run."""

    runs: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()


def _kept(con: duckdb.DuckDBPyConnection, warehouse: Path) -> _Kept:
    """Attach the warehouse; where it cannot be read, which is told in its own place, nothing is kept."""
    try:
        con.execute("ATTACH $path AS kept (READ_ONLY)", {"path": str(warehouse)})
        runs = con.sql("SELECT run_id FROM kept.meta.runs WHERE state = 'PUBLISHED'").fetchall()
        tables = con.sql("""
            SELECT table_name FROM duckdb_columns()
            WHERE database_name = 'kept' AND schema_name = 'out' AND column_name = 'run_id'
        """).fetchall()
    except duckdb.Error:
        return _Kept()
    return _Kept(frozenset(row[0] for row in runs), frozenset(row[0] for row in tables))


def _wrong(
    con: duckdb.DuckDBPyConnection, folder: Path, told: Mapping[str, Any], kept: _Kept, *, is_latest: bool
) -> Iterator[str]:
    """Add up each table wherever it stands, and compare with the manifest; then what the tables say of each other."""
    wanted = {name: _told(table) for name, table in told["tables"].items()}
    for name, table in wanted.items():
        places = {
            path.name: reader.format(_quoted(escape(str(path))))
            for path, reader in {
                folder / f"{name}.csv": table.csv,
                folder / f"{name}.parquet": "read_parquet({})",
            }.items()
            if path.is_file()
        }
        if told["run_id"] in kept.runs and name in kept.tables:
            places["the warehouse"] = f"(FROM kept.out.{name} WHERE run_id = {_quoted(told['run_id'])})"
        for place in _differing(con, places, table):
            yield f"{name}: {place} does not add up to the manifest's totals"
    yield from inconsistent(con, folder)
    if is_latest and (folder / "read.duckdb").is_file():
        yield from _otherwise_queried(folder, wanted)
    if (folder / "report.html").is_file() and (folder / "plans.parquet").is_file():
        yield from _otherwise_shown(con, folder)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table by the manifest: how its CSV is read, its money columns, its rows, and per currency their sums."""

    csv: str
    money: tuple[str, ...]
    rows: int
    sums: dict[str, tuple[Decimal, ...]]


def _told(table: Mapping[str, Any]) -> _Table:
    money = tuple(column for column, kind in table["columns"].items() if kind == "money")
    sums = {currency: tuple(Decimal(each[name]) for name in money) for currency, each in table["totals"].items()}
    text = ", ".join(f"{_quoted(column)}: 'VARCHAR'" for column in table["columns"])
    csv = f"""read_csv({{}}, auto_detect = false, header = true, quote = '"', escape = '"', columns = {{{{{text}}}}})"""
    return _Table(csv, money, table["rows"], sums)


def _differing(con: duckdb.DuckDBPyConnection, places: Mapping[str, str], table: _Table) -> Iterator[str]:
    """Yield the places, each with what reads it, where the table has other rows or sums; all of them in one query."""
    columns = [f'CAST("{name}" AS DECIMAL(20, 4)) AS "{name}"' for name in table.money]
    currency = "currency" if table.money else "NULL"
    parts = [
        f"SELECT {_quoted(place)} AS place, {', '.join([f'{currency} AS currency', *columns])} FROM {reader}"
        for place, reader in places.items()
    ]
    sums = "".join(f', coalesce(sum("{name}"), 0)' for name in table.money)
    query = f"SELECT place, currency, count(*){sums} FROM ({' UNION ALL '.join(parts)}) GROUP BY place, currency"
    rows, found = dict.fromkeys(places, 0), {place: dict[str, tuple[Decimal, ...]]() for place in places}
    for place, money, count, *figures in con.sql(query).fetchall() if places else []:
        rows[place] += count
        if money is not None:
            found[place][money] = tuple(figures)
    yield from (place for place in places if (rows[place], found[place]) != (table.rows, table.sums))


def _otherwise_queried(folder: Path, wanted: Mapping[str, _Table]) -> Iterator[str]:
    """Yield the views of the readers' database that do not show what the files hold; those of a moved folder show nothing."""
    with duckdb.connect(str(folder / "read.duckdb"), read_only=True, config=LOCKED_DOWN) as con:
        reads = con.sql(
            "SELECT macro_definition FROM duckdb_functions() WHERE function_name = 'latest_plans'"
        ).fetchall()
        if not any(str(folder) in text for (text,) in reads):
            return
        for name, table in wanted.items():
            if (folder / f"{name}.parquet").is_file():
                view = f"v_{name}"
                yield from (
                    f"{view} of read.duckdb shows other rows or sums" for _ in _differing(con, {view: view}, table)
                )


class _Shown(HTMLParser):
    """The cells of a table, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        """Begin a row or a cell."""
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        """Add to the cell."""
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def _otherwise_shown(con: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[str]:
    """Yield a fault if the page's totals by provider and currency are not those of the plans in force."""
    page = _Shown()
    text = (folder / "report.html").read_text(encoding="utf-8")
    page.feed(text.partition("<caption>By provider and currency</caption>")[2].partition("</table>")[0])
    shown = {
        (provider, currency): tuple(Decimal(figure.replace(",", "")) for figure in figures[-len(_SHOWN) :])
        for provider, currency, *figures in page.rows[1:]
    }
    sums, noughts = ", ".join(f"sum({name})" for name in _SHOWN), (Decimal(0),) * len(_SHOWN)
    found = con.sql(f"SELECT provider, currency, {sums} FROM plans WHERE is_in_force GROUP BY ALL").fetchall()
    stored = {(provider, currency): tuple(figures) for provider, currency, *figures in found}
    # the page also names, with noughts, a provider none of whose plans is in force
    if any(stored.get(place, noughts) != shown.get(place, noughts) for place in stored | shown):
        yield "report.html does not show the sums of the plans in force"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
