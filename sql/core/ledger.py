"""Record what a load brought, what was kept of it, and where the next fetch starts.

Rows of the core are not changed here.
"""

from collections.abc import Mapping
from datetime import datetime

import duckdb
import polars as pl

from schemas.intake import Admitted
from sql.connection import lent
from sql.core.keys import Tenant
from sql.core.loads import Load, LoadReport, Sweep, sweeps_of
from sql.scripts import statements


def next_load(con: duckdb.DuckDBPyConnection, load: Load) -> Tenant:
    """Return the tenant of the load that is about to commit, with its number; loads count from 1."""
    asked = """
        SELECT coalesce(max(load_no), 0) + 1, count(*) FILTER (provider = $provider AND tenant_id = $tenant_id) = 0
        FROM meta.loads
    """
    who = {"provider": load.provider, "tenant_id": load.tenant_id}
    [(load_no, is_first)] = con.execute(asked, who).fetchall()
    return Tenant(load.provider, load.tenant_id, load_no, is_first=is_first)


def report_of(con: duckdb.DuckDBPyConnection, load_id: str) -> LoadReport | None:
    """Return the report of a load that is known already, else None."""
    numbers = con.execute("SELECT load_no FROM meta.loads WHERE load_id = $load_id", {"load_id": load_id}).fetchall()
    if not numbers:
        return None
    load_no = numbers[0][0]
    counts = con.sql(
        "SELECT * EXCLUDE (load_no, provider, tenant_id) FROM meta.integrity WHERE load_no = $load_no ORDER BY entity, currency",
        params={"load_no": load_no},
    ).pl()
    return LoadReport(load_no, is_new=False, counts=counts)


def write(
    con: duckdb.DuckDBPyConnection,
    tenant: Tenant,
    load: Load,
    admitted: Admitted,
    counts: pl.DataFrame,
    *,
    pages: pl.DataFrame,
    unknown_fields: Mapping[tuple[str, str], int],
    carried: Mapping[tuple[str, str], tuple[int, int]],
) -> None:
    """Record the load, its sweeps, rejections and counts, undocumented fields and words, and the fields every row had."""
    _write_load(con, tenant, load)
    _insert(con, "meta.fetches", tenant, _fetches(con, tenant, load, admitted.rejects))
    _insert(con, "meta.integrity", tenant, counts)
    _insert(con, "meta.drift", tenant, _drift(admitted, unknown_fields))
    _insert(con, "meta.carried_fields", tenant, _carried(con, tenant, carried))
    _write_quarantine(con, tenant, load, admitted.rejects, pages)


def write_raw(
    con: duckdb.DuckDBPyConnection, tenant: Tenant, *, pages: pl.DataFrame, rows: pl.DataFrame, rejects: pl.DataFrame
) -> None:
    """Record every page, and of the rows received those that stay out, with the hashes of their bytes.

    The bytes of any other row are found by the hash of its page and its position there.
    """
    refused = rows.join(rejects, on=["page_no", "position"], how="semi") if rejects.height else rows.clear()
    for name, frame in (("pages", pages), ("rows", refused)):
        if frame.is_empty():
            continue
        with lent(con, {"fresh": frame}):
            con.execute(statements(f"queries/append_{name}.sql"), {"load_no": tenant.load_no})


def write_replayed(con: duckdb.DuckDBPyConnection, tenant: Tenant, replayed: pl.DataFrame) -> None:
    """Record which refused rows this load brought in: page_no, position, refused_load_no."""
    _insert(con, "meta.replayed", tenant, replayed)


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


def _fetches(con: duckdb.DuckDBPyConnection, tenant: Tenant, load: Load, rejects: pl.DataFrame) -> pl.DataFrame:
    """Return one row per sweep; a sweep that did not reach its end keeps the watermark it had.

    Where plans and terms come in sweeps of their own and any of them stayed out, these sweeps keep theirs too, or a
    plan that changes alone would come in without its terms; after a fetch of everything, everything is fetched
    again. Where the provider's clock is ahead of ours, the watermark is by ours.
    """
    earlier = {} if tenant.is_first else watermarks(con, load.provider, load.tenant_id)
    instant = pl.Datetime("us", "UTC")
    shape = {
        "sweep": pl.String(),
        "since": instant,
        "complete": pl.Boolean(),
        "reason": pl.String(),
        "pages": pl.Int64(),
        "rows": pl.Int64(),
        "started_clock": instant,
        "clock_skew_seconds": pl.Int64(),
        "watermark": instant,
    }
    together = sweeps_of(load.provider, "plans") | sweeps_of(load.provider, "terms")
    is_out = len(together) > 1 and rejects["entity"].is_in(["plans", "terms"]).any()

    def watermark(sweep: Sweep) -> datetime | None:
        before: datetime | None = earlier.get(sweep.name, (None, None))[0]
        if not sweep.complete:
            return before
        if is_out and sweep.name in together:
            return before if sweep.since else None
        return min(sweep.started_clock or load.fetched_at, load.fetched_at) - load.overlap

    rows = [
        (
            *(sweep.name, sweep.since, sweep.complete, sweep.reason, sweep.pages, sweep.rows, sweep.started_clock),
            sweep.skew_seconds(),
            watermark(sweep),
        )
        for sweep in load.sweeps
    ]
    return pl.DataFrame(rows, schema=shape, orient="row")


def watermarks(
    con: duckdb.DuckDBPyConnection, provider: str, tenant_id: str
) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Return per sweep (where the next one may start, when by our clock everything was last fetched).

    Null asks for everything.
    """
    rows = con.execute(
        """
        SELECT
            sweep,
            max_by(struct_pack(moment := watermark), load_no).moment,
            max_by(l.fetched_at, f.load_no) FILTER (f.complete AND f.since IS NULL)
        FROM meta.fetches AS f INNER JOIN meta.loads AS l USING (load_no)
        WHERE f.provider = $provider AND f.tenant_id = $tenant_id
        GROUP BY sweep
        """,
        {"provider": provider, "tenant_id": tenant_id},
    ).fetchall()
    return {sweep: (since, full) for sweep, since, full in rows}


def whole_pages(con: duckdb.DuckDBPyConnection, provider: str, tenant_id: str) -> dict[str, int]:
    """Return per sweep how many pages it had when everything was last fetched to its end."""
    rows = con.sql(
        """
        SELECT sweep, max_by(pages, load_no)
        FROM meta.fetches
        WHERE provider = $provider AND tenant_id = $tenant_id AND complete AND since IS NULL
        GROUP BY sweep
        """,
        params={"provider": provider, "tenant_id": tenant_id},
    )
    return dict(rows.fetchall())


def _drift(admitted: Admitted, unknown_fields: Mapping[tuple[str, str], int]) -> pl.DataFrame:
    shape = {"entity": pl.String(), "kind": pl.String(), "name": pl.String(), "value": pl.String(), "rows": pl.Int64()}
    fields = [(entity, "UNKNOWN_FIELD", name, None, rows) for (entity, name), rows in sorted(unknown_fields.items())]
    words = admitted.unknown_words
    values = [
        (row["entity"], "UNKNOWN_VALUE", row["name"], row["value"], row["rows"]) for row in words.iter_rows(named=True)
    ]
    return pl.DataFrame([*fields, *values], schema=shape, orient="row")


def always_carried(con: duckdb.DuckDBPyConnection, provider: str, tenant_id: str) -> set[tuple[str, str]]:
    """Return page entity and name of every field that no row of the tenant ever left out."""
    return {(entity, name) for entity, name, answers in _answers(con, provider, tenant_id) if answers == [True]}


def _answers(con: duckdb.DuckDBPyConnection, provider: str, tenant_id: str) -> list[tuple[str, str, list[bool]]]:
    rows: list[tuple[str, str, list[bool]]] = con.execute(
        """
        SELECT entity, name, list(DISTINCT by_every_row) FROM meta.carried_fields
        WHERE provider = $provider AND tenant_id = $tenant_id GROUP BY entity, name
        """,
        {"provider": provider, "tenant_id": tenant_id},
    ).fetchall()
    return rows


def _carried(
    con: duckdb.DuckDBPyConnection, tenant: Tenant, carried: Mapping[tuple[str, str], tuple[int, int]]
) -> pl.DataFrame:
    """Return whether every row had each field, as far as no earlier load gave the same answer."""
    answers_now = [
        (entity, name, rows == with_it) for (entity, name), (rows, with_it) in sorted(carried.items()) if rows
    ]
    told = _answers(con, **tenant.who) if answers_now and not tenant.is_first else []
    earlier = {(entity, name, by_every) for entity, name, answers in told for by_every in answers}
    shape = {"entity": pl.String(), "name": pl.String(), "by_every_row": pl.Boolean()}
    return pl.DataFrame([answer for answer in answers_now if answer not in earlier], schema=shape, orient="row")


def _write_quarantine(
    con: duckdb.DuckDBPyConnection, tenant: Tenant, load: Load, rejects: pl.DataFrame, pages: pl.DataFrame
) -> None:
    """Record every reason; a row that was refused before for the same reason keeps the time it was first seen."""
    if rejects.is_empty():
        return
    places = pages.select("page_no", pl.col("sha256").alias("page_sha256"))
    fresh = rejects.join(places, on="page_no", how="left", maintain_order="left")
    values = {
        **tenant.who,
        "load_no": tenant.load_no,
        "loaded_at": load.loaded_at,
        "schema_version": load.schema_version,
    }
    with lent(con, {"fresh": fresh}):
        con.execute(statements("queries/append_quarantine.sql"), values)


def _insert(con: duckdb.DuckDBPyConnection, table: str, tenant: Tenant, frame: pl.DataFrame) -> None:
    if frame.is_empty():
        return
    query = f"""
        INSERT INTO {table} BY NAME
        SELECT CAST($load_no AS BIGINT) AS load_no, $provider AS provider, $tenant_id AS tenant_id, * FROM fresh
    """
    with lent(con, {"fresh": frame}):
        con.execute(query, {"load_no": tenant.load_no, **tenant.who})
