"""The books of a load: what came, what was kept, where the next fetch starts.

Rows of the core are not touched here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import duckdb
import polars as pl

from schemas.intake import ENTITIES, Admitted
from sql.keys import Tenant
from sql.shelf import seed, statements

_COUNTED = (
    *("fetched", "accepted", "quarantined", "deduplicated", "unreadable", "amount_fetched_minor"),
    *("amount_accepted_minor", "amount_quarantined_minor", "amount_deduplicated_minor"),
)

_SHARED = {"terms": "plans", "policies": "accounts"}
"""Entities without pages of their own come with those of another."""


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

    @property
    def full_sweeps(self) -> frozenset[str]:
        """Sweeps that asked for everything and reached the provider's end: only they make absence mean something."""
        return frozenset(sweep.name for sweep in self.sweeps if sweep.since is None and sweep.complete)

    @property
    def mode(self) -> str:
        """FULL if every sweep asked for everything, else CHANGES."""
        return "FULL" if all(sweep.since is None for sweep in self.sweeps) else "CHANGES"

    def is_complete(self, entity: str) -> bool:
        """Tell whether every sweep that feeds `entity` reached the provider's end."""
        complete = {sweep.name for sweep in self.sweeps if sweep.complete}
        return sweeps_of(self.provider, entity) <= complete


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did: its number and, per entity and currency, rows and money; `is_new` false: known before."""

    load_no: int
    is_new: bool
    counts: pl.DataFrame


def sweeps_of(provider: str, entity: str) -> frozenset[str]:
    """Return the sweeps that bring rows of `entity`."""
    known = seed("page_entities").filter(pl.col("provider") == provider)
    feeds = known.filter((pl.col("entity") == entity) | (pl.col("child_entity") == entity))["sweep"]
    if feeds.is_empty() and entity in _SHARED:
        return sweeps_of(provider, _SHARED[entity])
    return frozenset(feeds)


def next_load_no(con: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the load that is about to commit; loads count from 1."""
    return int(con.sql("SELECT coalesce(max(load_no), 0) + 1 FROM meta.loads").fetchall()[0][0])


def report_of(con: duckdb.DuckDBPyConnection, load_id: str) -> LoadReport | None:
    """Return the report of a load that is known already, else None."""
    found = con.sql("SELECT load_no FROM meta.loads WHERE load_id = $load_id", params={"load_id": load_id}).fetchall()
    if not found:
        return None
    load_no = found[0][0]
    counts = con.sql(
        "SELECT * EXCLUDE (load_no, provider, tenant_id) FROM meta.integrity WHERE load_no = $load_no ORDER BY entity, currency",
        params={"load_no": load_no},
    ).pl()
    return LoadReport(load_no, is_new=False, counts=counts)


def counted(
    con: duckdb.DuckDBPyConnection,
    load: Load,
    admitted: Admitted,
    kept: Mapping[str, tuple[pl.DataFrame, pl.DataFrame]],
) -> pl.DataFrame:
    """Return one row per entity and currency: fetched, accepted, quarantined, deduplicated, unreadable, and money.

    Every entity has a row, also where nothing came. Deduplicated are the rows this
    fetch showed twice and those that say what was known.
    """
    stored = pl.concat(_kept_counts(name, rows, changed) for name, (rows, changed) in kept.items())
    came = admitted.counts.join(stored, on=["entity", "currency"], how="full", coalesce=True, nulls_equal=True)
    numbers = came.with_columns(pl.col(pl.Int64).exclude(r"^amount_.*$").fill_null(0)).select(
        "entity",
        "currency",
        "fetched",
        "accepted",
        "quarantined",
        "unreadable",
        "amount_fetched_minor",
        deduplicated=pl.col("repeated") + pl.col("unchanged"),
        **_money(),
    )
    home = numbers["currency"].drop_nulls().unique()
    idle = pl.DataFrame(
        {"entity": [name for name in ENTITIES if name not in numbers["entity"]]}, schema={"entity": pl.String}
    )
    nothing = idle.with_columns(
        pl.lit(home[0] if home.len() == 1 else None, pl.String).alias("currency"),
        *(pl.lit(None if name.startswith("amount_") else 0, pl.Int64).alias(name) for name in _COUNTED),
    )
    shape = ("entity", "currency", *_COUNTED)
    counts = pl.concat([numbers.select(shape), nothing.select(shape)]).sort("entity", "currency")
    return counts.join(_freshness(con, load), on="entity", how="left", maintain_order="left")


def _money() -> dict[str, pl.Expr]:
    has_money = pl.col("amount_fetched_minor").is_not_null()
    parts = {
        "amount_accepted_minor": pl.col("amount_changed_minor").fill_null(0),
        "amount_quarantined_minor": pl.col("amount_quarantined_minor").fill_null(0),
        "amount_deduplicated_minor": pl.col("amount_repeated_minor").fill_null(0)
        + pl.col("amount_unchanged_minor").fill_null(0),
    }
    return {name: pl.when(has_money).then(part) for name, part in parts.items()}


def _kept_counts(name: str, rows: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    came = rows.group_by("currency").agg(all=pl.len().cast(pl.Int64), money=pl.col("money_minor").sum())
    new = changed.group_by("currency").agg(
        accepted=pl.len().cast(pl.Int64), amount_changed_minor=pl.col("money_minor").sum()
    )
    both = came.join(new, on="currency", how="left").with_columns(
        pl.col("accepted", "amount_changed_minor").fill_null(0)
    )
    return both.select(
        pl.lit(name).alias("entity"),
        "currency",
        "accepted",
        "amount_changed_minor",
        unchanged=pl.col("all") - pl.col("accepted"),
        amount_unchanged_minor=pl.col("money") - pl.col("amount_changed_minor"),
    )


def _freshness(con: duckdb.DuckDBPyConnection, load: Load) -> pl.DataFrame:
    before = con.sql(
        """
        SELECT entity, max(fresh_at) AS fresh_before FROM meta.integrity
        WHERE provider = $provider AND tenant_id = $tenant_id GROUP BY entity
        """,
        params={"provider": load.provider, "tenant_id": load.tenant_id},
    ).pl()
    now = pl.DataFrame({"entity": list(ENTITIES), "complete": [load.is_complete(entity) for entity in ENTITIES]})
    known = now.join(before, on="entity", how="left", maintain_order="left")
    fetched_at = pl.lit(load.fetched_at, pl.Datetime("us", "UTC"))
    return known.select("entity", "complete", fresh_at=pl.when("complete").then(fetched_at).otherwise("fresh_before"))


def write(
    con: duckdb.DuckDBPyConnection,
    tenant: Tenant,
    load: Load,
    admitted: Admitted,
    counts: pl.DataFrame,
    *,
    pages: pl.DataFrame,
    unknown_fields: Mapping[tuple[str, str], int],
) -> None:
    """Record the load, its sweeps, its rejections, its counts and what no contract promised."""
    _write_load(con, tenant, load)
    _insert(con, "meta.fetches", tenant, _fetches(con, load))
    _insert(con, "meta.integrity", tenant, counts)
    _insert(con, "meta.drift", tenant, _drift(admitted, unknown_fields))
    _write_quarantine(con, tenant, load, admitted.rejects, pages)


def write_raw(con: duckdb.DuckDBPyConnection, tenant: Tenant, *, pages: pl.DataFrame, rows: pl.DataFrame) -> None:
    """Record every page and every row received, with the hashes that find their bytes again."""
    for name, frame in (("pages", pages), ("rows", rows)):
        con.register("fresh", frame)
        con.execute(statements(f"queries/append_{name}.sql"), {"load_no": tenant.load_no})
        con.unregister("fresh")


def _write_load(con: duckdb.DuckDBPyConnection, tenant: Tenant, load: Load) -> None:
    fields = {
        "load_no": tenant.load_no,
        "load_id": load.load_id,
        "provider": load.provider,
        "tenant_id": load.tenant_id,
        "snapshot_id": load.snapshot_id,
        "mode": load.mode,
        "is_complete": all(sweep.complete for sweep in load.sweeps),
        "fetched_at": load.fetched_at,
        "fetched_on": load.fetched_on,
        "loaded_at": load.loaded_at,
        "schema_version": load.schema_version,
    }
    values = ", ".join(f"${name}" for name in fields)
    con.execute(f"INSERT INTO meta.loads ({', '.join(fields)}) VALUES ({values})", fields)


def _fetches(con: duckdb.DuckDBPyConnection, load: Load) -> pl.DataFrame:
    """Return one row per sweep; a sweep that did not reach its end keeps the watermark it had."""
    known = watermarks(con, load.provider, load.tenant_id)
    instant = pl.Datetime("us", "UTC")
    shape = {
        "sweep": pl.String(),
        "since": instant,
        "complete": pl.Boolean(),
        "reason": pl.String(),
        "pages": pl.Int64(),
        "rows": pl.Int64(),
        "started_clock": instant,
        "watermark": instant,
    }
    found = [
        (
            *(sweep.name, sweep.since, sweep.complete, sweep.reason, sweep.pages, sweep.rows, sweep.started_clock),
            (sweep.started_clock or load.fetched_at) - load.overlap
            if sweep.complete
            else known.get(sweep.name, (None, None))[0],
        )
        for sweep in load.sweeps
    ]
    return pl.DataFrame(found, schema=shape, orient="row")


def watermarks(
    con: duckdb.DuckDBPyConnection, provider: str, tenant_id: str
) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Return per sweep (where the next one may start, when everything was last fetched); null: ask for everything."""
    found = con.sql(
        """
        SELECT
            sweep,
            max_by(watermark, load_no) FILTER (watermark IS NOT NULL),
            max(coalesce(started_clock, l.fetched_at)) FILTER (f.complete AND f.since IS NULL)
        FROM meta.fetches AS f INNER JOIN meta.loads AS l USING (load_no)
        WHERE f.provider = $provider AND f.tenant_id = $tenant_id
        GROUP BY sweep
        """,
        params={"provider": provider, "tenant_id": tenant_id},
    ).pl()
    return {sweep: (since, full) for sweep, since, full in found.iter_rows()}


def _drift(admitted: Admitted, unknown_fields: Mapping[tuple[str, str], int]) -> pl.DataFrame:
    shape = {"entity": pl.String(), "kind": pl.String(), "name": pl.String(), "value": pl.String(), "rows": pl.Int64()}
    fields = [(entity, "UNKNOWN_FIELD", name, None, rows) for (entity, name), rows in sorted(unknown_fields.items())]
    words = admitted.unknown_words
    values = [
        (row["entity"], "UNKNOWN_VALUE", row["name"], row["value"], row["rows"]) for row in words.iter_rows(named=True)
    ]
    return pl.DataFrame([*fields, *values], schema=shape, orient="row")


def _write_quarantine(
    con: duckdb.DuckDBPyConnection, tenant: Tenant, load: Load, rejects: pl.DataFrame, pages: pl.DataFrame
) -> None:
    """Record every reason; a row that was refused before for the same reason keeps the time it was first seen."""
    if rejects.is_empty():
        return
    places = pages.select("page_no", pl.col("sha256").alias("page_sha256"))
    fresh = rejects.join(places, on="page_no", how="left", maintain_order="left")
    con.register("fresh", fresh)
    values = {
        **tenant.who,
        "load_no": tenant.load_no,
        "loaded_at": load.loaded_at,
        "schema_version": load.schema_version,
    }
    con.execute(statements("queries/append_quarantine.sql"), values)
    con.unregister("fresh")


def _insert(con: duckdb.DuckDBPyConnection, table: str, tenant: Tenant, frame: pl.DataFrame) -> None:
    if frame.is_empty():
        return
    con.register("fresh", frame)
    con.execute(
        f"""
        INSERT INTO {table} BY NAME
        SELECT CAST($load_no AS BIGINT) AS load_no, $provider AS provider, $tenant_id AS tenant_id, * FROM fresh
        """,
        {"load_no": tenant.load_no, **tenant.who},
    )
    con.unregister("fresh")
