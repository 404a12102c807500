"""Small integers for the natural keys of plans, accounts and payments.

A number is given at first sight, in order of the natural key, and never again.
What is only named (a loan that no list shows) gets a number too: this is how an
orphan is found.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import polars as pl

from sql.connection import lent
from sql.core.short_ids import shortened


@dataclass(frozen=True, slots=True)
class Tenant:
    """The tenant whose keys these are, and the load that may add to them; before the first one nothing is stored."""

    provider: str
    tenant_id: str
    load_no: int
    is_first: bool = False

    @property
    def who(self) -> dict[str, str]:
        """Return the parameters that pick the tenant's rows."""
        return {"provider": self.provider, "tenant_id": self.tenant_id}


_KEYS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "plan": ("plan_no", ("plan_id",)),
    "account": ("account_no", ("account_id",)),
    "payment": ("payment_no", ("payment_id", "share")),
}


def number(con: duckdb.DuckDBPyConnection, kind: str, tenant: Tenant, named: pl.DataFrame) -> pl.DataFrame:
    """Return the natural keys of `named`, each once, with their number; new ones are numbered and stored.

    `kind` is plan, account or payment; `named` holds its natural key, no nulls.
    """
    column, natural = _KEYS[kind]
    named = named.select(natural).unique().sort(natural)
    if named.is_empty():
        return named.with_columns(pl.lit(None, pl.Int64).alias(column))
    stored = _stored(con, kind, tenant, named)
    fresh = named.join(stored, on=natural, how="anti", maintain_order="left") if stored.height else named
    if fresh.is_empty():
        return stored
    start = _next(con, kind)
    fresh = fresh.with_columns((pl.int_range(pl.len(), dtype=pl.Int64) + start).alias(column))
    rows = fresh.with_columns(
        provider=pl.lit(tenant.provider),
        tenant_id=pl.lit(tenant.tenant_id),
        first_load_no=pl.lit(tenant.load_no, pl.Int64),
    )
    append(con, f"{kind}_keys", rows)
    return pl.concat([stored, fresh])


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of everything one fetch names."""

    plans: pl.DataFrame
    accounts: pl.DataFrame
    payments: pl.DataFrame

    def beside(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with a number beside every natural key it has; null where the key is null."""
        for column, number_column in (("plan_id", "plan_no"), ("active_plan_id", "active_plan_no")):
            frame = _beside(frame, self.plans, {column: "plan_id"}, "plan_no", to=number_column)
        for column, number_column in (("account_id", "account_no"), ("parent_account_id", "parent_account_no")):
            frame = _beside(frame, self.accounts, {column: "account_id"}, "account_no", to=number_column)
        own = {"payment_id": "payment_id", "share": "share"}
        frame = _beside(frame, self.payments, own, "payment_no", to="payment_no")
        if "linked_payment_id" not in frame.columns:
            return frame
        whole = self.payments.filter(pl.col("share") == "").drop("share")
        return _beside(frame, whole, {"linked_payment_id": "payment_id"}, "payment_no", to="linked_payment_no")

    def of_deletions(self, deletions: pl.DataFrame, entity: str, kind: str) -> pl.DataFrame:
        """Return the numbers of what the provider says it deleted."""
        column, natural = _KEYS[kind]
        numbers = {"plan": self.plans, "account": self.accounts, "payment": self.payments}[kind]
        keys = deletions.filter(pl.col("entity") == entity).select(pl.col("key").alias(natural[0]))
        return numbers.join(keys, on=natural[0], how="semi").select(column)


def number_all(con: duckdb.DuckDBPyConnection, tenant: Tenant, frames: Mapping[str, pl.DataFrame]) -> Numbers:
    """Return the numbers of every plan, account and payment that the accepted frames name; what is new is stored.

    Terms without a plan belong to the plan with the empty id.
    """
    plans, terms, payments, accounts = (frames[name] for name in ("plans", "terms", "payments", "accounts"))
    links, deletions = frames["plan_accounts"], frames["deletions"]
    deleted = {
        entity: deletions.filter(pl.col("entity") == entity)["key"] for entity in ("plans", "accounts", "payments")
    }
    plan_ids = [
        plans["plan_id"],
        terms["plan_id"].unique(),
        accounts["active_plan_id"],
        links["plan_id"],
        deleted["plans"],
    ]
    account_ids = [
        *(accounts["account_id"], accounts["parent_account_id"], plans["account_id"], payments["account_id"]),
        *(frames["policies"]["account_id"], links["account_id"], deleted["accounts"]),
    ]
    whole = pl.concat([terms["linked_payment_id"].drop_nulls(), deleted["payments"]]).to_frame("payment_id")
    shares = pl.concat([payments.select("payment_id", "share"), whole.with_columns(share=pl.lit(""))])
    return Numbers(
        number(con, "plan", tenant, pl.concat(plan_ids).drop_nulls().to_frame("plan_id")),
        number(con, "account", tenant, pl.concat(account_ids).drop_nulls().to_frame("account_id")),
        number(con, "payment", tenant, shares),
    )


def _beside(
    frame: pl.DataFrame, numbers: pl.DataFrame, natural: Mapping[str, str], column: str, *, to: str
) -> pl.DataFrame:
    if not set(natural) <= set(frame.columns):
        return frame
    keys = numbers.rename({theirs: ours for ours, theirs in natural.items()} | {column: to})
    return frame.join(keys, on=list(natural), how="left", maintain_order="left")


def append(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Append `frame` to a table of `core` by column names; columns it lacks become null."""
    if frame.is_empty():
        return
    with lent(con, {"fresh": shortened(table, frame)}):
        con.execute(f"INSERT INTO core.{table} BY NAME SELECT * FROM fresh")


def _stored(con: duckdb.DuckDBPyConnection, kind: str, tenant: Tenant, named: pl.DataFrame) -> pl.DataFrame:
    """Return the keys that are numbered already, with their numbers."""
    column, natural = _KEYS[kind]
    if tenant.is_first:
        return named.clear().with_columns(pl.lit(None, pl.Int64).alias(column))
    names = ", ".join(natural)
    query = f"""
        SELECT {names}, {column} FROM core.{kind}_keys SEMI JOIN named USING ({names})
        WHERE provider = $provider AND tenant_id = $tenant_id
    """
    with lent(con, {"named": named}):
        stored: pl.DataFrame = con.sql(query, params=tenant.who).pl()
    return stored


def _next(con: duckdb.DuckDBPyConnection, kind: str) -> int:
    column, _ = _KEYS[kind]
    return int(con.execute(f"SELECT coalesce(max({column}) + 1, 0) FROM core.{kind}_keys").fetchall()[0][0])
