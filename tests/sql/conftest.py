"""A warehouse in memory and a way to bring it fetches written by hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import duckdb
import polars as pl
import pytest

from providers import PROVIDERS
from schemas.intake import DECODE_REJECTS, Admitted
from sql.connection import connect
from sql.core.loads import Load, LoadReport, Sweep
from sql.core.versions import commit_load
from sql.intake.received import as_received, received_types
from sql.intake.staging import StageOptions, stage
from sql.scripts import create_tables
from transforms.intake.admit import admit

SWEEPS = {
    "payt": ("payment_plans", "payments", "psp_transactions", "invoices", "credit_cases", "debtors"),
    "totality": ("loans", "payment_plans", "scheduled_payments", "payments"),
    "payiq": ("portfolio",),
}
OPTIONS = {
    "payt": {"timezone": "Europe/Amsterdam", "currency": "EUR"},
    "totality": {"timezone": "America/New_York", "currency": "USD"},
    "payiq": {"timezone": "America/New_York", "currency_symbols": {"$": "USD", "¥": "JPY"}},
}
PAGES = {"page_no": pl.Int64, "sweep": pl.String, "entity": pl.String, "sha256": pl.String, "rows": pl.Int64}

Rows = list[dict[str, Any]]


def received_frames(provider: str, tables: Mapping[str, Rows]) -> dict[str, pl.DataFrame]:
    """Every received table of the provider; what a row leaves out is null, its place is its index."""
    frames = {}
    for name, columns in PROVIDERS[provider].TABLES.items():
        dtypes = received_types(columns)
        full = [
            {"page_no": 0, "position": position, "ordinal": 0, "row_hash": f"{position:064x}"} | row
            for position, row in enumerate(tables.get(name.removeprefix(f"{provider}__"), ()))
        ]
        frames[name] = pl.DataFrame([{column: row.get(column) for column in dtypes} for row in full], schema=dtypes)
    return frames


@dataclass
class Intake:
    """Brings fetches of provider-shaped rows into one warehouse."""

    con: duckdb.DuckDBPyConnection
    loads: int = 0

    def admitted(
        self,
        provider: str,
        tables: Mapping[str, Rows],
        *,
        tenant: str = "1",
        day: date,
        rejects: Rows | None = None,
        **options: Any,
    ) -> tuple[Admitted, dict[str, pl.DataFrame]]:
        frames = received_frames(provider, tables)
        settings = OPTIONS[provider] | options
        with as_received(self.con, frames) as rows:
            staged = stage(self.con, rows, StageOptions(provider, tenant, fetched_on=day, **settings))
        refused = [dict.fromkeys(DECODE_REJECTS) | {"page_no": 0, "rows": 0} | row for row in rejects or []]
        decoded = pl.DataFrame(refused, schema=dict(DECODE_REJECTS), orient="row")
        return admit(staged, decode_rejects=decoded, decoded_rows={}), staged

    def fetch(
        self,
        provider: str,
        tables: Mapping[str, Rows],
        *,
        day: date,
        tenant: str = "1",
        changes: bool = False,
        incomplete: tuple[str, ...] = (),
        load_id: str | None = None,
        rejects: Rows | None = None,
        **options: Any,
    ) -> LoadReport:
        """Bring one fetch of day `day`; everything was asked for unless `changes`."""
        admitted, staged = self.admitted(provider, tables, tenant=tenant, day=day, rejects=rejects, **options)
        self.loads += 1
        at = datetime.combine(day, time(6), tzinfo=UTC)
        sweeps = tuple(
            Sweep(name, at if changes else None, name not in incomplete, "", 1, 1, at) for name in SWEEPS[provider]
        )
        load = Load(
            load_id or f"load {self.loads}", provider, tenant, "snapshot", at, day, at, sweeps, schema_version=1
        )
        pages = pl.DataFrame([(0, SWEEPS[provider][0], "page", "f" * 64, 1)], schema=PAGES, orient="row")
        return commit_load(self.con, load, admitted, pages=pages, rows=staged["rows"])

    def rows(self, table: str) -> int:
        """Number of rows in a table of the warehouse."""
        return int(self.con.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0])


@pytest.fixture
def intake() -> Iterator[Intake]:
    with connect(None) as con:
        create_tables(con)
        yield Intake(con)
