"""Compare what a fetch shows with what is stored, and append what is new or different.

A version is written once; what ends it is a row in a closures table. Which
columns say something and how rows are identified is in `SHAPES`.
"""

from dataclasses import dataclass

import duckdb
import polars as pl

from sql.connection import lent
from sql.core.keys import Tenant, append


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of an entity's versions: what identifies a row, what it says, where it came from."""

    kind: str
    key: tuple[str, ...]
    content: tuple[str, ...]
    origin: tuple[str, ...] = ("page_no", "position")

    @property
    def stored(self) -> tuple[str, ...]:
        """Return the columns of the versions table, without row and load."""
        return (*self.key, *self.content, *self.origin)


PLANS = Shape(
    "plan",
    ("plan_no",),
    (
        *("account_no", "customer_id", "currency", "basis", "created_on", "created_at", "updated_on", "proposed_on"),
        *("approved_on", "rejected_on", "deactivated_on", "deleted_on", "ended_on", "inactive_at", "removed_on"),
        *("is_active", "stated_total_minor"),
        *("cadence", "anchor_day", "plan_type", "fires_on_due_day", "rule", "custom_terms", "source"),
    ),
)
TERMS = Shape(
    "term",
    ("plan_no", "term_id"),
    (
        *("term_sequence", "nominal_due_date", "due_date", "amount_minor", "provider_outstanding_minor"),
        *("provider_paid_on", "updated_on", "removed_on", "linked_payment_no"),
    ),
    origin=(),
)
PAYMENTS = Shape(
    "payment",
    ("payment_no",),
    (
        *(
            "account_no",
            "currency",
            "amount_minor",
            "effective_date",
            "effective_at",
            "created_on",
            "planned_on",
            "class",
        ),
        *(
            "provider_status",
            "reversed_on",
            "reversed_at",
            "reversed_amount_minor",
            "fees_minor",
            "is_money",
            "is_reversal_amount_known",
            "removed_on",
            "source",
        ),
    ),
)
ACCOUNTS = Shape(
    "account",
    ("account_no",),
    (
        *("parent_account_no", "customer_id", "currency", "kind_of_account", "reference", "account_status"),
        *(
            "balance_minor",
            "total_minor",
            "account_amount_due_minor",
            "account_due_date",
            "is_stopped",
            "active_plan_no",
            "paused_on",
            "updated_on",
            "removed_on",
        ),
        "source",
    ),
)
POLICIES = Shape(
    "policy",
    ("account_no",),
    (
        *("currency", "allow_due_day", "enforce_due_date", "day_due", "plan_type", "default_monthly_minor"),
        *(
            "initial_balance_minor",
            "maximum_term",
            "restricted_override_minimum_minor",
            "tiers",
            "updated_on",
            "source",
        ),
    ),
)

_NATURAL = {
    "plan": ("plan_keys", "plan_no", "k.plan_id"),
    "term": ("plan_keys", "plan_no", "k.plan_id"),
    "payment": ("payment_keys", "payment_no", "k.payment_id"),
    "account": ("account_keys", "account_no", "k.account_id"),
    "policy": ("account_keys", "account_no", "k.account_id"),
}

_NOTHING: dict[str, pl.DataFrame] = {}
"""No versions of each entity, once this process has asked for them: before its first load a tenant has no others."""


def current(
    con: duckdb.DuckDBPyConnection,
    shape: Shape,
    tenant: Tenant,
    *,
    only: pl.DataFrame | None = None,
    but: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the tenant's open versions with their row_no and natural id: those of the keys `only` alone, and without those of the keys `but`."""
    if tenant.is_first and shape.kind in _NOTHING:
        return _NOTHING[shape.kind]
    keys, column, natural = _NATURAL[shape.kind]
    columns = ", ".join(f"v.{name}" for name in ("row_no", *shape.stored))
    listed = {how: frame for how, frame in (("SEMI", only), ("ANTI", but)) if frame is not None}
    narrowed = " ".join(f"{how} JOIN {how}_these USING ({', '.join(frame.columns)})" for how, frame in listed.items())
    query = f"""
        WITH tenant AS (SELECT * FROM core.{keys} WHERE provider = $provider AND tenant_id = $tenant_id),
        open AS (
            SELECT * FROM core.{shape.kind}_versions {narrowed} ANTI JOIN core.{shape.kind}_closures USING (row_no)
        )
        SELECT {columns}, {natural} FROM open AS v INNER JOIN tenant AS k USING ({column})
    """
    with lent(con, {f"{how}_these": frame for how, frame in listed.items()}):
        versions: pl.DataFrame = con.sql(query, params=tenant.who).pl()
    return _NOTHING.setdefault(shape.kind, versions.clear()) if tenant.is_first else versions


def differing(
    shape: Shape, incoming: pl.DataFrame, stored: pl.DataFrame, *, on: tuple[str, ...] | None = None
) -> pl.DataFrame:
    """Return the incoming rows that are new or say something else, with the `row_no` they replace (null: none).

    `on` identifies a row where its key may change; the key is compared then too.
    """
    if incoming.is_empty() or stored.is_empty():
        return incoming.with_columns(row_no=pl.lit(None, pl.Int64))
    identity = on or shape.key
    where = stored.select(identity).with_row_index("_at")
    # The row of `stored` for each incoming row, null for a new one; each stored column is looked up there.
    at = incoming.select(identity).join(where, on=identity, how="left", maintain_order="left")["_at"]
    compared = [name for name in (*shape.key, *shape.content) if name not in identity]
    differs = [pl.col(name).ne_missing(pl.lit(stored[name]).gather(pl.lit(at))) for name in compared]
    is_other = incoming.select(pl.any_horizontal(pl.lit(at.is_null()), *differs)).to_series()
    return incoming.with_columns(stored["row_no"].gather(at)).filter(is_other)


def append_versions(con: duckdb.DuckDBPyConnection, shape: Shape, tenant: Tenant, changed: pl.DataFrame) -> None:
    """Store `changed` as versions of this load, in its order, and close those whose `row_no` they replace."""
    if changed.is_empty():
        return
    start = con.execute(f"SELECT coalesce(max(row_no) + 1, 0) FROM core.{shape.kind}_versions").fetchall()[0][0]
    load_no = pl.lit(tenant.load_no, pl.Int64).alias("load_no")
    replaced = changed.select(pl.col("row_no").drop_nulls()).with_columns(load_no)
    rows = changed.select((pl.int_range(pl.len(), dtype=pl.Int64) + start).alias("row_no"), load_no, *shape.stored)
    append(con, f"{shape.kind}_versions", rows)
    append(con, f"{shape.kind}_closures", replaced)
