"""Read the core as it was known at a load: the same SQL for the newest and for any older one.

Every frame passes its gate. Nothing here depends on an as-of date.
"""

from collections.abc import Mapping
from datetime import datetime

import duckdb
import polars as pl


def plans(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `PLANS` as known at load `known`, in plan_no order."""
    raise NotImplementedError


def terms(con: duckdb.DuckDBPyConnection, known: int, plan_nos: pl.Series) -> pl.DataFrame:
    """Return `TERMS` of these plans as known at load `known`, by plan_no, due date, sequence, term id."""
    raise NotImplementedError


def payments(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `PAYMENTS` as known at load `known`, in payment_no order; `plan_no` is null, locating decides it."""
    raise NotImplementedError


def accounts(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `ACCOUNTS` as known at load `known`, in account_no order."""
    raise NotImplementedError


def plan_accounts(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `PLAN_ACCOUNTS`: every link seen up to load `known`, also of plans that ended."""
    raise NotImplementedError


def policies(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `POLICIES` as known at load `known`, in account_no order."""
    raise NotImplementedError


def orphans(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `ORPHANS`: payments and terms naming what no complete fetch has shown."""
    raise NotImplementedError


def integrity(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `INTEGRITY` of each tenant's newest load up to `known`."""
    raise NotImplementedError


def completeness(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return one row per provider, tenant_id and entity: `complete` of the newest load, `fresh_at` of the last complete one."""
    raise NotImplementedError


def watermarks(
    con: duckdb.DuckDBPyConnection, provider: str, tenant_id: str
) -> Mapping[str, tuple[datetime | None, datetime | None]]:
    """Return per sweep (where the next one may start, when everything was last fetched); null: ask for everything."""
    raise NotImplementedError
