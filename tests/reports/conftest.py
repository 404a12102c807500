"""Small result frames for the report tests: one keyword per column that matters, quiet defaults for the rest."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import polars as pl
import pytest

from reports.facts import RunFacts, Source
from schemas.columns import COLUMNS
from schemas.core import INTEGRITY
from schemas.results import CHECK_RESULTS, LIVING_BREAKS, PAYMENT_POSITIONS, PLAN_POSITIONS, TERM_POSITIONS
from schemas.table import Table
from transforms.delinquency.work_lists import work_lists

AS_OF = date(2026, 6, 30)
TABLES = {
    "plans": PLAN_POSITIONS,
    "terms": TERM_POSITIONS,
    "payments": PAYMENT_POSITIONS,
    "breaks": LIVING_BREAKS,
    "integrity": INTEGRITY,
    "checks": CHECK_RESULTS,
}
AGING = {
    **dict.fromkeys(("provider", "tenant_id", "currency", "bucket"), pl.String),
    **dict.fromkeys(
        ("bucket_no", "plans", "terms", "amount_due_minor", "overdue_minor", "outstanding_minor"), pl.Int64
    ),
}
AR = ("0", "1-30", "31-60", "61-90", "91-120", "121-150", "151-180", "181-365", "366+")
QUIET = {pl.String(): "", pl.Date(): AS_OF, pl.Boolean(): True, pl.Int64(): 0}
ALWAYS = {"provider": "payt", "tenant_id": "a1", "currency": "EUR", "plan_id": "p1"}

Frame = Callable[..., pl.DataFrame]


def quiet(table: Table, name: str) -> object:
    if name in ALWAYS:
        return ALWAYS[name]
    if table.is_nullable(name):
        return None
    return COLUMNS[name].values[0] if COLUMNS[name].values else QUIET[COLUMNS[name].dtype]


@pytest.fixture
def frame() -> Frame:
    """Return a maker: `frame("terms", {...}, {...})`, one dict per row."""

    def make(name: str, *rows: dict[str, object]) -> pl.DataFrame:
        if name == "aging":
            where = {"provider": "payt", "tenant_id": "a1"}
            return pl.DataFrame(
                [
                    {**where, "bucket_no": AR.index(row["bucket"]) if "bucket_no" not in row else None, **row}
                    for row in rows
                ],
                schema=AGING,
                orient="row",
            )
        table = TABLES[name]
        unknown = {key for row in rows for key in row} - set(table.columns)
        assert not unknown, unknown
        full = [{c: row.get(c, quiet(table, c)) for c in table.columns} for row in rows]
        made = pl.DataFrame(full, schema=dict(table.dtypes), orient="row")
        return made.with_columns(work_lists()) if name == "plans" else made

    return make


@pytest.fixture
def facts() -> Callable[..., RunFacts]:
    """Return a maker of run facts; every field can be given."""

    def make(**changes: object) -> RunFacts:
        known: dict[str, object] = {
            "run_id": "r1",
            "run_key": "k" * 64,
            "as_of": AS_OF,
            "started_at": datetime(2026, 6, 30, 4, tzinfo=UTC),
            "known_at": datetime(2026, 6, 30, 4, 1, 9, tzinfo=UTC),
            "known_load": 12,
            "code_version": "0.1.0",
            "state": "PUBLISHED",
            "sources": (Source("payt", "a1", datetime(2026, 6, 30, 4, tzinfo=UTC)),),
        }
        return RunFacts(**(known | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """Power is not cut in tests: what a killed process wrote is there without a sync."""
    monkeypatch.setattr("os.fsync", lambda handle: None)
