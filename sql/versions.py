"""Append one tenant's admitted rows to the versions of the core, in one transaction.

A version is written once and never changed; what ends it is a row in a closures
table. What a version looks like at a known load is in `images.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import duckdb
import polars as pl

from schemas.intake import Admitted


class ConservationError(Exception):
    """Rows or money were lost or invented between the fetch and the tables; nothing of the load was kept."""

    code = "internal"


@dataclass(frozen=True, slots=True)
class Sweep:
    """How one sweep of the load went; `since` null asked for everything, `rows` counts rejected ones too."""

    name: str
    since: datetime | None
    complete: bool
    reason: str
    pages: int
    rows: int
    started_clock: datetime | None


@dataclass(frozen=True, slots=True)
class Load:
    """One sealed snapshot of one tenant on its way in; `loaded_at` is the moment its rows become known."""

    load_id: str
    provider: str
    tenant_id: str
    snapshot_id: str
    fetched_at: datetime
    fetched_on: date
    loaded_at: datetime
    sweeps: tuple[Sweep, ...]
    schema_version: int
    overlap: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did: its number and, per entity, rows accepted, quarantined and repeated; `is_new` false: known before."""

    load_no: int
    is_new: bool
    counts: pl.DataFrame


def commit_load(
    con: duckdb.DuckDBPyConnection,
    load: Load,
    admitted: Admitted,
    *,
    pages: pl.DataFrame,
    rows: pl.DataFrame,
    unknown_fields: Mapping[tuple[str, str], int] | None = None,
) -> LoadReport:
    """Make one load known: versions, closures, tombstones, counts and watermarks commit together or not at all.

    A load id that is known changes nothing.

    Args:
        con: The warehouse, opened for writing.
        load: Who, when, and how each sweep went.
        admitted: What `transforms.intake.admit` returned.
        pages: page_no, sweep, entity, sha256, rows: where the bytes lie.
        rows: `staged["rows"]`: page_no, position, row_hash.
        unknown_fields: (page entity, field) to the number of rows that carried it.

    Raises:
        ConservationError: fetched is not accepted + quarantined + deduplicated.
    """
    raise NotImplementedError
