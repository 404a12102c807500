"""Check everything on disk, with code that shares nothing with the code that wrote it.

Reads the files as their formats are documented, with the standard library and DuckDB
alone, so that a fault of the pipeline cannot hide itself here. Changes nothing. The caller
holds the run lock, or files may change while they are read.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sql.storage.balances import LOCKED_DOWN, unbalanced, unproven
from sql.storage.published import reports, sha256

FIRST = "0" * 64
"""Hash that the first line of a log gives as that of the line before it."""

FROM_BACKUP = "restore it from a backup"
REBUILD = "call `planrecon rebuild`"


class Gone(str):
    """A fault that is an absence: something was removed as a whole while other files still refer to it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """The result for one place: what was read there, and each fault with what to do about it."""

    place: str
    seen: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """Where everything of one configuration lies."""

    warehouse: Path
    state_dir: Path
    reports_dir: Path


def verify(stored: Stored) -> Iterator[Checked]:
    """Yield one result per place, in the order in which one is evidence for the next."""
    places: list[tuple[str, Callable[[Stored, list[str]], str]]] = [
        ("commit log", _commit_log),
        ("landing", _landing),
        ("run archive", _archive),
        ("warehouse", _warehouse),
        ("reports", _reports),
        ("log of changes", _changes),
    ]
    for place, look in places:
        faults: list[str] = []
        try:
            seen = look(stored, faults)
        except (OSError, ValueError, KeyError, TypeError, duckdb.Error) as error:
            seen = "not readable"
            faults.append(f"{place}: {error}; {FROM_BACKUP}")
        yield Checked(place, seen, tuple(faults))


def _commit_log(stored: Stored, faults: list[str]) -> str:
    return f"{len(_lines(stored.state_dir / 'commits.jsonl', faults)):,} lines"


def _changes(stored: Stored, faults: list[str]) -> str:
    """Check the log of changes at providers, and that each request kept for an open change is the approved one."""
    folder = stored.state_dir / "intents"
    lines = _lines(folder / "audit.jsonl", faults)
    approved = {line["facts"]["intent_id"]: line["facts"]["file_sha256"] for line in lines if line["kind"] == "intent"}
    for intent_id, digest in approved.items():
        kept = folder / f"{intent_id}.json"
        if kept.is_file() and sha256(kept) != digest:
            faults.append(f"{kept} is not the request that was approved; end it with `planrecon plan resume`")
    return f"{len(lines):,} lines, {len(approved):,} changes"


def _lines(path: Path, faults: list[str]) -> list[dict[str, Any]]:
    """Return the lines of a log up to the first that does not follow from the one before; a torn last line is left out."""
    whole: list[dict[str, Any]] = []
    before = FIRST
    for number, text in enumerate(path.read_bytes().split(b"\n")[:-1] if path.exists() else [], 1):
        try:
            line = json.loads(text)
            told = line.pop("hash")
            holds = told == _digest(line) and (line["before"], line["number"]) == (before, number)
        except (ValueError, KeyError, TypeError, AttributeError):
            holds = False
        if not holds:
            faults.append(f"{path}: line {number} is not what was written; {FROM_BACKUP}")
            break
        before = told
        whole.append(line)
    return whole


def _landing(stored: Stored, faults: list[str]) -> str:
    snapshots = pages = size = 0
    read: dict[Path, list[Mapping[str, Any]]] = {}
    for folder in _snapshots(stored):
        snapshots += 1
        _sealed(folder / "opened.json", faults)
        seals = _seals(folder, faults)
        if (folder / "snapshot.json").exists():
            end = _sealed(folder / "snapshot.json", faults)
            latest = {seal["name"]: _digest(seal) for seal in seals}
            if end is not None and end["seals"] != latest:
                faults.append(f"{folder}: its seals are not those it was finished with; {FROM_BACKUP}")
        for seal in seals:
            pages += len(_pages(folder, seal, faults, read))
            size += _pack(folder / seal["pack"], seal["pages"], faults)
    return f"{snapshots:,} fetches, {pages:,} pages, {size / 1e6:,.1f} MB"


def _pages(
    folder: Path, seal: Mapping[str, Any], faults: list[str], read: dict[Path, list[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    """Return the pages of a seal in their order: its own, and those that it names in the seals of earlier fetches.

    `read` keeps the pages of the seals that were read, each once.
    """
    pages: list[Mapping[str, Any]] = []
    begin = 0
    for span in seal.get("spans", []):
        pages += seal["pages"][begin : span["at"]]
        begin = span["at"]
        path = folder.parent / span["snapshot"] / (span["pack"].removesuffix(".pack") + ".seal.json")
        if path not in read:
            found = _sealed(path, faults)
            read[path] = found["pages"] if found else []
        named = read[path][span["first"] : span["first"] + span["count"]]
        hashes = "".join(page["sha256"] for page in named)
        if len(named) != span["count"] or hashlib.sha256(hashes.encode()).hexdigest() != span["sha256"]:
            faults.append(f"{folder}: {path} does not hold the pages that came in again here; {FROM_BACKUP}")
        pages += named
    pages += seal["pages"][begin:]
    return pages


def _pack(path: Path, pages: Iterable[Mapping[str, Any]], faults: list[str]) -> int:
    """Hash each body of a pack; return how many bytes the bodies have."""
    place = 0
    with path.open("rb") as file:
        for page in pages:
            file.seek(page["offset"])
            body = file.read(page["length"])
            if hashlib.sha256(body).hexdigest() != page["sha256"]:
                faults.append(f"{path}: the page at byte {page['offset']} is not what was received; {FROM_BACKUP}")
            place = page["offset"] + page["length"]
    if path.stat().st_size != place:
        faults.append(f"{path} holds {path.stat().st_size} bytes, its seal says {place}; {FROM_BACKUP}")
    return place


def _seals(folder: Path, faults: list[str]) -> list[dict[str, Any]]:
    """Return the seals that count: the last one of each sweep of a snapshot, in the order they were made."""
    latest: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.seal.json")):
        seal = _sealed(path, faults)
        if seal is not None:
            latest.pop(seal["name"], None)
            latest[seal["name"]] = seal
    return list(latest.values())


def _sealed(path: Path, faults: list[str]) -> dict[str, Any] | None:
    """Return the fields of a sealed file without its digest; None, and a fault, if it is not what was written."""
    try:
        fields: dict[str, Any] = json.loads(path.read_bytes())
        if fields.pop("digest") == _digest(fields):
            return fields
    except (OSError, ValueError, KeyError, AttributeError):
        pass
    faults.append(f"{path} is not what was written; {FROM_BACKUP}")
    return None


def _archive(stored: Stored, faults: list[str]) -> str:
    told = {run["run_id"]: run for run in _told(stored, "run")}  # one that was undone is told again, and counts as then
    for run in told.values():
        path = stored.state_dir / "runs" / f"{run['run_id']}.zip"
        if not path.is_file():
            faults.append(Gone(f"{path} is missing; {FROM_BACKUP}: a rebuild would not know this run"))
        elif sha256(path) != run["archive"]:
            faults.append(f"{path} is not what was written; {FROM_BACKUP}")
    return f"{len(told):,} runs"


def _warehouse(stored: Stored, faults: list[str]) -> str:
    """Read every row of the file; hold its loads and runs against the logs, its pages against the landing."""
    if not stored.warehouse.exists():
        if _told(stored, "load"):
            faults.append(f"{stored.warehouse} is missing; {REBUILD}")
        return "no file yet"
    try:
        with duckdb.connect(str(stored.warehouse), read_only=True, config=LOCKED_DOWN) as con:
            rows = _every_row(con)
            _compare(stored, con, faults)
            wrong = [*unbalanced(con), *unproven(con, _steps(stored))]
            faults += [f"{stored.warehouse}: {fault}; {REBUILD}" for fault in wrong]
    except duckdb.Error as error:
        faults.append(f"{stored.warehouse} cannot be read: {str(error).splitlines()[0]}; {REBUILD}")
        return "not readable"
    return f"{rows:,} rows"


def _every_row(con: duckdb.DuckDBPyConnection) -> int:
    """Read every row, so that the checksum of every block is compared; return the number of rows."""
    tables = con.sql("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT temporary").fetchall()
    each = (f'SELECT count(*) AS n, bit_xor(hash(line)) AS h FROM "{name}"."{table}" AS line' for name, table in tables)
    rows: int = con.sql(f"SELECT coalesce(sum(n), 0), bit_xor(h) FROM ({' UNION ALL '.join(each)})").fetchall()[0][0]
    return int(rows)


_LOADED_PAGES = """
    SELECT page_no, page_sha256 FROM raw.pages WHERE load_no = $load_no
    UNION ALL
    SELECT k.page_no + p.page_no - k.like_page_no, p.page_sha256
    FROM raw.kept_pages AS k INNER JOIN raw.pages AS p
        ON p.load_no = k.like_load_no AND p.page_no BETWEEN k.like_page_no AND k.like_page_no + k.pages - 1
    WHERE k.load_no = $load_no
    ORDER BY page_no
"""
"""The pages of a load: those that were read, and those that count as they did when an earlier load read them."""


def _compare(stored: Stored, con: duckdb.DuckDBPyConnection, faults: list[str]) -> None:
    told = [(load["load_no"], load["load_id"], load["snapshot_id"]) for load in _told(stored, "load")]
    here = con.sql("SELECT load_no, load_id, snapshot_id FROM meta.loads ORDER BY load_no").fetchall()
    if told != here:
        is_cut = told == here[: len(told)]
        mend = "tells the log again" if is_cut else "loads again what is missing"
        fault = (
            f"{stored.warehouse} holds {len(here)} loads, the commit log tells of {len(told)}, "
            f"and they are not the same; the next run {mend}"
        )
        faults.append(Gone(fault) if is_cut else fault)
    runs = {run["run_id"] for run in _told(stored, "run")}
    recorded = {row[0] for row in con.sql("SELECT run_id FROM meta.runs").fetchall()}
    faults += [f"run {run} is in the commit log and not in {stored.warehouse}; {REBUILD}" for run in runs - recorded]
    folders = {folder.name: folder for folder in _snapshots(stored)}
    read: dict[Path, list[Mapping[str, Any]]] = {}
    for load_no, _, snapshot in here:
        if snapshot not in folders:
            faults.append(Gone(f"load {load_no}: fetch {snapshot} is not in the landing; {FROM_BACKUP}"))
            continue
        folder = folders[snapshot]
        landed = [page["sha256"] for seal in _seals(folder, []) for page in _pages(folder, seal, [], read)]
        loaded = con.sql(_LOADED_PAGES, params={"load_no": load_no}).fetchall()
        if loaded != list(enumerate(landed)):
            faults.append(f"load {load_no}: its pages are not those of fetch {snapshot}; {REBUILD}")


def _reports(stored: Stored, faults: list[str]) -> str:
    return reports(stored.reports_dir, stored.warehouse, faults)


def _steps(stored: Stored) -> dict[str, set[str]]:
    """Return the states that each intent has been in by the log of changes; its own faults are reported where it is checked."""
    states: dict[str, set[str]] = {}
    for line in _lines(stored.state_dir / "intents" / "audit.jsonl", []):
        facts = line["facts"]
        if line["kind"] == "intent":
            states[facts["intent_id"]] = {"planned"}
        elif line["kind"] == "step":
            states[facts["intent_id"]].add(facts["state"])
    return states


def _snapshots(stored: Stored) -> list[Path]:
    return sorted(path.parent for path in (stored.state_dir / "landing").glob("*/[0-9]*/opened.json"))


def _told(stored: Stored, kind: str) -> list[dict[str, Any]]:
    """Return what the commit log says of loads or runs; its own faults are reported where the log is checked."""
    lines = _lines(stored.state_dir / "commits.jsonl", [])
    return [line["facts"] for line in lines if line["kind"] == kind]


def _digest(fields: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the fields as JSON in ASCII, with sorted keys and no spaces."""
    body = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(body.encode()).hexdigest()
