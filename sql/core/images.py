"""Read the core as it was known at a load: the same SQL for the newest and for any older one.

Every frame passes its gate. Nothing here depends on an as-of date. The large ones are put in order here: they mostly
are, which is one look at a column, and a sort of all columns in the database, which does not know it.
"""

from collections.abc import Mapping
from types import MappingProxyType

import duckdb
import polars as pl

from schemas.core import (
    ACCOUNTS,
    INTEGRITY,
    ORPHANS,
    PAUSES,
    PAYMENTS,
    PLAN_ACCOUNTS,
    PLAN_FACTS,
    PLANS,
    POLICIES,
    TERM_CHANGES,
    TERMS,
)
from schemas.schedules import CUSTOM_TERMS, PLAN_RULES
from schemas.table import sorted_by
from sql.scripts import seed, statements

Only = Mapping[str, pl.Series]
"""By column, the numbers of which a row must hold one to be read; every row is read where there is no column."""

_NUMBER = r"^[0-9]{1,18}$"
_VERSIONS = {"plans": "plan_versions", "payments": "payment_versions", "links": "term_versions"}
"""Table of the rows of an image of which some alone can be asked for; it stands first in the image's text."""


def plans(con: duckdb.DuckDBPyConnection, known: int, only: Only = MappingProxyType({})) -> pl.DataFrame:
    """Return `PLANS` as known at load `known`, in plan_no order."""
    return PLANS.gate(sorted_by(_image(con, "plans", only, known=known), "plan_no"))


def terms(con: duckdb.DuckDBPyConnection, known: int, plan_nos: pl.Series) -> pl.DataFrame:
    """Return `TERMS` of these plans as known at load `known`, by plan_no, due date, sequence, term id.

    Ids of a plan that are all numbers are ordered as numbers.
    """
    if plan_nos.is_empty():
        return TERMS.empty()
    first, last = (plan_nos.sort()[at] for at in (0, -1))
    con.register("wanted_plans", plan_nos.unique().rename("plan_no").to_frame())
    try:
        rows = _image(con, "terms", known=known, first=first, last=last)
    finally:
        con.unregister("wanted_plans")
    return TERMS.gate(in_plan_order(rows))


def in_plan_order(terms: pl.DataFrame) -> pl.DataFrame:
    """Return `terms` by plan, due date, provider sequence and id."""
    # Plan and day in one integer; the other keys are looked at only where two terms share it.
    day = pl.col("due_date").to_physical().cast(pl.Int64) + 2**20
    packed = terms.with_columns(_packed=pl.col("plan_no") * 2**22 + day)
    ordered = sorted_by(packed, "_packed")
    repeats = ordered["_packed"] == ordered["_packed"].shift(1)
    if not repeats.any():
        return ordered.drop("_packed")
    tied = ordered.filter(repeats).select("plan_no").unique()
    is_number = (
        ordered.join(tied, on="plan_no", how="semi")
        .group_by("plan_no")
        .agg(_numeric=pl.col("term_id").str.contains(_NUMBER).all())
    )
    ranked = ordered.join(is_number, on="plan_no", how="left", maintain_order="left").with_columns(
        _number=pl.when("_numeric").then(pl.col("term_id")).cast(pl.Int64, strict=False)
    )
    return ranked.sort("_packed", "term_sequence", "_number", "term_id", nulls_last=True).drop(
        "_packed", "_numeric", "_number"
    )


def payments(con: duckdb.DuckDBPyConnection, known: int, only: Only = MappingProxyType({})) -> pl.DataFrame:
    """Return `PAYMENTS` as known at load `known`, in payment_no order; `plan_no` is null, locating decides it."""
    return PAYMENTS.gate(sorted_by(_image(con, "payments", only, known=known), "payment_no"))


def links(con: duckdb.DuckDBPyConnection, known: int, only: Only = MappingProxyType({})) -> pl.DataFrame:
    """Return `plan_no` and `linked_payment_no` of every term that names the payment which paid it."""
    return _image(con, "links", only, known=known)


def accounts(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `ACCOUNTS` as known at load `known`, in account_no order."""
    return ACCOUNTS.gate(sorted_by(_image(con, "accounts", known=known), "account_no"))


def plan_accounts(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `PLAN_ACCOUNTS`: every link seen up to load `known`, also of plans that ended."""
    return PLAN_ACCOUNTS.gate(_image(con, "plan_accounts", known=known))


def policies(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `POLICIES` as known at load `known`, in account_no order."""
    return POLICIES.gate(_image(con, "policies", known=known))


def creation_balances(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return what each plan's account showed as owed when the plan was created, for the two images beside it, which read it where it is not given."""
    return _image(con, "creation_balances", known=known)


def plan_facts(con: duckdb.DuckDBPyConnection, known: int, balances: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return `PLAN_FACTS` of every plan as known at load `known`, in plan_no order."""
    return PLAN_FACTS.gate(_beside(con, balances, "plan_facts", known=known))


def term_changes(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `TERM_CHANGES` as known at load `known`, in the order of their key."""
    return TERM_CHANGES.gate(_image(con, "term_changes", known=known))


def plan_rules(con: duckdb.DuckDBPyConnection, known: int, balances: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return `PLAN_RULES` as known at load `known`, in plan_no order; plans whose provider gives no rule are left out.

    `calendar` is null: no provider names one. `convention_set` is the provider. `total_minor`
    is what a partial plan states, else the account's balance when the plan was created, and
    null where that was never seen; `term_count` of an amount-based plan is then the number of
    terms the provider shows, else null. `missing_input` names what the row alone does not tell:
    a pattern in an unknown word, a partial plan without a total.
    """
    return PLAN_RULES.gate(_beside(con, balances, "plan_rules", known=known))


def custom_terms(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `CUSTOM_TERMS` of the plans that list their own terms, as known at load `known`, in the provider's order.

    A list with an entry that cannot be a term is left out whole.
    """
    return CUSTOM_TERMS.gate(_image(con, "custom_terms", known=known))


def orphans(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `ORPHANS`: payments and terms naming what no complete fetch has shown."""
    loaded = con.sql("SELECT DISTINCT provider FROM meta.loads").fetchall()
    if not loaded:
        return ORPHANS.empty()
    feeds = [seed(name, "page_entities").with_columns(provider=pl.lit(name)) for (name,) in loaded]
    con.register("page_entities", pl.concat(feeds))
    try:
        return ORPHANS.gate(_image(con, "orphans", known=known))
    finally:
        con.unregister("page_entities")


def pauses(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `PAUSES` by the providers' own word as known at load `known`; they may overlap."""
    return PAUSES.gate(_image(con, "pauses", known=known))


def integrity(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `INTEGRITY` of each tenant's newest load up to `known`."""
    return INTEGRITY.gate(_image(con, "integrity", known=known))


def completeness(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return one row per provider, tenant_id and entity.

    `complete` is that of the newest load up to `known`, `fresh_at` when the last complete fetch of the entity began.
    """
    return _image(con, "completeness", known=known)


def current_rows(con: duckdb.DuckDBPyConnection, known: int) -> dict[tuple[str, str], int]:
    """Return how many rows each provider still showed as of load `known`, by provider and entity.

    What was deleted or is gone does not count, whatever day a report is about.
    """
    found = _image(con, "current_rows", known=known)
    return {(provider, entity): count for provider, entity, count in found.iter_rows()}


def first_seen(con: duckdb.DuckDBPyConnection, since: int, known: int) -> pl.DataFrame:
    """Return `entity`, `plan_no`, `account_no`, `payment_no`, `term_id` and `load_no` of what loads after `since` told.

    Of each row up to load `known` the newest such load; key columns that an entity does not have are null.
    """
    return _image(con, "first_seen", since=since, known=known)


def _beside(con: duckdb.DuckDBPyConnection, balances: pl.DataFrame | None, name: str, *, known: int) -> pl.DataFrame:
    con.register("creation_balances", creation_balances(con, known) if balances is None else balances)
    try:
        return _image(con, name, known=known)
    finally:
        con.unregister("creation_balances")


def _image(con: duckdb.DuckDBPyConnection, name: str, only: Only = MappingProxyType({}), **values: int) -> pl.DataFrame:
    query = statements(f"images/image__{name}.sql")
    if only:
        # One of the columns has to hold a number that is looked for; asked of the versions, before they are joined.
        wanted = " OR ".join(f"{column} IN (SELECT {column} FROM only_{column})" for column in only)
        table = _VERSIONS[name]
        query = query.replace(f"FROM core.{table}", f"FROM (SELECT * FROM core.{table} WHERE {wanted}) AS {table}", 1)
        query = f"SELECT * FROM ({query}) ORDER BY ALL"  # the first column is the one it was in order of
    for column, numbers in only.items():
        con.register(f"only_{column}", numbers.unique().to_frame(column))
    try:
        frame: pl.DataFrame = con.sql(query, params=values).pl()
    finally:
        for column in only:
            con.unregister(f"only_{column}")
    return frame
