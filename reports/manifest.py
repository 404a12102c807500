"""Describe what a run folder holds, to the byte, and check whether it still does.

The manifest is the last file of a folder: without it, or with another state than
PUBLISHED, the folder is not published.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import polars as pl
from msgspec import Struct

from reports.errors import DamagedError
from schemas.currencies import written
from schemas.reports import REPORTS, Kind, Report

if TYPE_CHECKING:  # who only asks whether a folder is sealed waits for neither
    from reports.files.tables import Totals
    from reports.summary import Summary

NAME = "manifest.json"

T = TypeVar("T")


class File(Struct, frozen=True):
    """A file of the folder; `rows` is null where it is no table."""

    name: str
    rows: int | None
    bytes: int
    sha256: str


class TableLine(Struct, frozen=True):
    """A report: its rows, the kind of each column, and decimal sums by currency and money column."""

    rows: int
    columns: dict[str, str]
    totals: dict[str, dict[str, str]]


class Manifest(Struct, frozen=True, kw_only=True):
    """The run as `manifest.json` tells it, in the order of its fields; an older one may lack `held_by_change`."""

    state: str
    run_id: str
    run_key: str
    as_of: str
    known_at: str
    known_load: int
    code_version: str
    started_at: str
    held_by_change: tuple[str, ...] = ()
    current_rows: dict[str, int]
    files: list[File]
    tables: dict[str, TableLine]


def describe(folder: Path, summary: "Summary", totals: Mapping[str, "Totals"]) -> Manifest:
    """Return the manifest of `folder` as it is now; hidden files are not part of it."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".") and path.name != NAME)
    return Manifest(
        state=summary.state,
        run_id=summary.run_id,
        run_key=summary.run_key,
        as_of=summary.as_of,
        known_at=summary.known_at,
        known_load=summary.known_load,
        code_version=summary.code_version,
        started_at=summary.started_at,
        held_by_change=summary.held_by_change,
        current_rows=summary.current_rows,
        files=[_file(folder / name, totals) for name in names],
        tables={name: _table(REPORTS[name], total) for name, total in sorted(totals.items())},
    )


def to_json(value: object) -> str:
    """Return `value` as JSON that a person can read and a diff can compare."""
    return json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False) + "\n"


def read(folder: Path) -> Manifest:
    """Return the manifest of a run folder.

    Raises:
        DamagedError: there is none, or it is not readable.
    """
    return _read(folder, Manifest)


def _read(folder: Path, kind: type[T]) -> T:
    path = folder / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, ValueError) as error:
        raise DamagedError(f"{path} cannot be read: {error}; rebuild the reports with `planrecon report`") from error


def is_sealed(folder: Path) -> bool:
    """Tell whether the folder has its manifest, which is written last."""
    return (folder / NAME).is_file()


def is_whole(folder: Path) -> bool:
    """Tell whether the folder is sealed and was not pruned."""
    return is_sealed(folder) and b'"pruned": [' not in (folder / NAME).read_bytes()


def described(folder: Path) -> dict[str, Any]:
    """Return the manifest with all that it says, also what a later version wrote; `pruned` are files let go on purpose.

    Raises:
        DamagedError: there is none, or it is not readable.
    """
    return _read(folder, dict[str, Any])


def redescribe(folder: Path, name: str) -> dict[str, Any]:
    """Return the manifest with file `name` described as it is now; the rest stays, also what a later version wrote."""
    told = described(folder)
    told["files"] = [_file(folder / name, {}) if file["name"] == name else file for file in told["files"]]
    return told


def is_as_told(folder: Path, name: str) -> bool:
    """Tell whether file `name` is the one that the manifest names; true where it names none."""
    return not list(_changed(folder, (file for file in read(folder).files if file.name == name)))


def verify(folder: Path) -> Manifest:
    """Return the manifest if every file is as it says and CSV, Parquet and manifest sum to the same.

    Raises:
        DamagedError: something differs; the message names every file.
    """
    manifest = read(folder)
    _refuse(folder, list(_changed(folder, manifest.files)))
    compare_sums(folder, manifest, manifest.tables)
    return manifest


def compare_sums(folder: Path, manifest: Manifest, tables: Iterable[str]) -> None:
    """Read `tables` again and let pass only what sums to the manifest's control totals.

    Raises:
        DamagedError: a CSV or Parquet file sums to something else.
    """
    _refuse(folder, [fault for name in tables for fault in _sums_differ(folder, name, manifest.tables[name])])


def sums(manifest_totals: "Totals") -> dict[str, dict[str, str]]:
    """Return control totals as decimal texts by currency and money column."""
    return {
        currency: {name: written(amount, currency) for name, amount in amounts.items()}
        for currency, amounts in sorted(manifest_totals.minor.items())
    }


def _refuse(folder: Path, faults: list[str]) -> None:
    if faults:
        raise DamagedError(f"{folder}: {'; '.join(faults)}; rebuild the reports with `planrecon report`")


def _file(path: Path, totals: Mapping[str, "Totals"]) -> File:
    total = totals.get(path.stem) if path.suffix in (".csv", ".parquet") else None
    return File(path.name, total.rows if total else None, path.stat().st_size, _sha256(path))


def _table(report: Report, total: "Totals") -> TableLine:
    return TableLine(total.rows, {column.name: column.kind.name.lower() for column in report.columns}, sums(total))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _changed(folder: Path, files: Iterable[File]) -> Iterator[str]:
    for file in files:
        path = folder / file.name
        if path.is_symlink() or not path.is_file():
            yield f"{file.name} is missing"
        elif path.stat().st_size != file.bytes or _sha256(path) != file.sha256:
            yield f"{file.name} differs from its checksum"


def _sums_differ(folder: Path, report: str, said: TableLine) -> Iterator[str]:
    money = [name for name, kind in said.columns.items() if kind == Kind.MONEY.name.lower()]
    expected = {
        currency: {name: Decimal(amount) for name, amount in amounts.items()}
        for currency, amounts in said.totals.items()
    }
    for suffix, rows in (("csv", _csv), ("parquet", _parquet)):
        path = folder / f"{report}.{suffix}"
        if not path.exists():
            continue
        summed = _summed(rows(path), money)
        if summed != (said.rows, expected):
            yield f"{path.name} does not sum to its control totals"


def _csv(path: Path) -> pl.LazyFrame:
    return pl.scan_csv(path, infer_schema=False, glob=False)


def _parquet(path: Path) -> pl.LazyFrame:
    return pl.scan_parquet(path, glob=False)


def _summed(rows: pl.LazyFrame, money: list[str]) -> tuple[int, dict[str, dict[str, Decimal]]]:
    if not money:
        return rows.select(pl.len()).collect().item(), {}
    sums = rows.group_by("currency").agg(pl.len().alias("rows"), pl.col(money).cast(pl.Decimal(38, 4)).sum()).collect()
    by_currency = {row.pop("currency"): row for row in sums.to_dicts()}
    count = sum(row.pop("rows") for row in by_currency.values())
    return count, {currency: row for currency, row in by_currency.items() if currency is not None}
