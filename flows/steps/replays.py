"""Give the refused rows of a snapshot that was loaded before their second chance, as a load of its own."""

import hashlib
import sys
from datetime import datetime

import duckdb
import polars as pl

from flows.settings import ProviderSettings
from flows.steps.loading import admitted_rows, load_id, staged_rows
from flows.steps.reading import PAGES, Reading
from flows.steps.request import ThisRun
from schemas.intake import HELD
from sql.core.loads import Load, LoadReport
from sql.core.versions import commit_load
from sql.quarantine import newer_keys, still_out
from sql.storage.commits import log_loads
from sql.storage.landing import SnapshotFacts
from sql.warehouse import SCHEMA_VERSION
from transforms.intake.second_chance import second_chance


def replay_snapshot(
    this: ThisRun,
    con: duckdb.DuckDBPyConnection,
    facts: SnapshotFacts,
    section: ProviderSettings,
    *,
    loaded_at: datetime,
    again: str = "",
) -> LoadReport | None:
    """Judge anew the rows of a snapshot that were refused, and make those known that are good now; null if none is.

    They are read from the bytes as landed. What the provider has said of a row since counts, not the refused one. Dates
    that come from the fetch stay those of the first one, but known they are from `loaded_at` on, so that no figure of an
    earlier knowledge time changes.

    Args:
        this: The run.
        con: The warehouse, opened for writing.
        facts: The snapshot, which was loaded before.
        section: The provider's settings.
        loaded_at: The moment the rows become known.
        again: Id of the replay that a rebuild does again; it keeps its number, also without rows.
    """
    out = still_out(con).filter(pl.col("snapshot_id") == facts.id)
    if out.is_empty() and not again:
        return None
    reading = Reading()
    with staged_rows(this, con, facts, section, reading, part=sys.maxsize) as (staging, options):
        admitted = admitted_rows(staging.parts, reading, pl.DataFrame(schema=dict(HELD)))
    refused_by = int(out["load_no"].max() or 0)  # type: ignore[arg-type]  # a number, as the column is
    newer = newer_keys(con, facts.provider, facts.tenant_id, refused_by)
    chance = second_chance(admitted, out.select("page_no", "position"), newer)
    if chance.places.is_empty() and not again:
        return None
    rows = chance.places.rows()
    load = Load(
        load_id=again or hashlib.sha256(f"{load_id(facts)}|REPLAY|{refused_by}|{rows}".encode()).hexdigest(),
        provider=facts.provider,
        tenant_id=facts.tenant_id,
        snapshot_id=facts.id,
        fetched_at=facts.opened_at,
        fetched_on=options.fetched_on,
        loaded_at=loaded_at,
        sweeps=(),
        schema_version=SCHEMA_VERSION,
        is_replay=True,
    )
    pages = pl.DataFrame(reading.pages, schema=PAGES, orient="row")
    places = chance.places.with_columns(refused_load_no=pl.lit(refused_by, pl.Int64))
    report = commit_load(con, load, chance.admitted, pages=pages, rows=staging.rows.clear(), replayed=places)
    log_loads(con, this.commit_log)
    return report
