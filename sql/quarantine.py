"""Find the refused rows that may have a second chance: nothing the provider sent since has taken their place."""

from collections.abc import Mapping

import duckdb
import polars as pl

from sql.scripts import statements

_NEWER = {
    "plans": ("plan_id", "core.plan_versions JOIN core.plan_keys USING (plan_no)"),
    "terms": ("term_id", "core.term_versions JOIN core.plan_keys USING (plan_no)"),
    "payments": ("payment_id", "core.payment_versions JOIN core.payment_keys USING (payment_no)"),
    "accounts": ("account_id", "core.account_versions JOIN core.account_keys USING (account_no)"),
    "policies": ("account_id", "core.policy_versions JOIN core.account_keys USING (account_no)"),
    "customers": ("customer_id", "core.customer_pauses"),
}


def still_out(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return the refused rows that no replay brought in and no later complete fetch of everything has shown again.

    One row per load, page and position: load_no, snapshot_id, provider, tenant_id, page_no, position; oldest load first.
    """
    found: pl.DataFrame = con.sql(statements("queries/still_out.sql")).pl()
    return found


def refused_pages(con: duckdb.DuckDBPyConnection, provider: str, tenant_id: str) -> frozenset[str]:
    """Return the hash of every page with a row that was ever refused, or that could not be read."""
    rows = con.sql(
        "SELECT DISTINCT page_sha256 FROM meta.quarantine WHERE provider = $provider AND tenant_id = $tenant_id",
        params={"provider": provider, "tenant_id": tenant_id},
    ).fetchall()
    return frozenset(sha256 for (sha256,) in rows)


def newer_keys(
    con: duckdb.DuckDBPyConnection, provider: str, tenant_id: str, load_no: int
) -> Mapping[str, pl.DataFrame]:
    """Return, per entity, the natural keys of rows that a later load has said something of."""
    who = {"provider": provider, "tenant_id": tenant_id, "load_no": load_no}
    return {
        entity: con.sql(
            f"SELECT DISTINCT {key} FROM {source} WHERE provider = $provider AND tenant_id = $tenant_id "
            "AND load_no > $load_no",
            params=who,
        ).pl()
        for entity, (key, source) in _NEWER.items()
    }


def taken_in(con: duckdb.DuckDBPyConnection, load_no: int) -> pl.DataFrame:
    """Return why the rows that a replay, load `load_no`, brought in were refused: columns of `HELD`, one row per reason."""
    found: pl.DataFrame = con.sql(statements("queries/taken_in.sql"), params={"load_no": load_no}).pl()
    return found
