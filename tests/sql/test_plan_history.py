"""The figures of plans over the published runs, in the warehouse and in the small database beside the reports."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from sql import plan_history
from sql.readonly import read_query
from sql.runs import Run, record_run
from sql.views import refresh_views, write_read_duckdb
from sql.warehouse import Warehouse

START = datetime(2026, 6, 28, 6, 0, tzinfo=UTC)
WHO = {"provider": "payt", "tenant_id": "17", "currency": "EUR", "flags": "", "status": "ACTIVE", "outcome": "AT_RISK"}
MONEY = ("amount", "received", "outstanding", "amount_due", "overdue", "overdue_past_grace", "pending")
COUNTS = ("terms", "missed_terms", "delinquent_terms", "days_past_due")


def plan(name, *, overdue="0", days=0, **changed):
    row = {**WHO, "plan_id": name, **dict.fromkeys(MONEY, Decimal(0)), **dict.fromkeys(COUNTS, 1)}
    return {**row, "bucket": "0", "next_due_date": None, "overdue": Decimal(overdue), "days_past_due": days, **changed}


def listed(rows):
    dtypes = {**dict.fromkeys(MONEY, pl.Decimal(20, 4)), **dict.fromkeys(COUNTS, pl.Int64), "next_due_date": pl.Date}
    return pl.DataFrame(rows, schema_overrides=dtypes)


@pytest.fixture
def desk(tmp_path):
    """Publishes runs of three days, and one of the first day again once the third is published."""
    days = {
        "r1": (date(2026, 6, 28), [plan("P1"), plan("P2", overdue="50.00", days=3), plan("P3")]),
        "r2": (date(2026, 6, 29), [plan("P1"), plan("P2", overdue="50.00", days=4)]),
        "r3": (date(2026, 6, 30), [plan("P1", overdue="33.34", days=1), plan("P2", days=0), plan("P4")]),
        "r4": (date(2026, 6, 28), [plan("P1", overdue="99.00")]),
    }
    with Warehouse.open(tmp_path / "planrecon.duckdb", state_dir=tmp_path / "state", folders=[tmp_path]) as warehouse:
        con = warehouse.con
        for number, (name, (as_of, rows)) in enumerate(days.items()):
            at = START + timedelta(days=number)
            run = Run(name, name, as_of, 1, at, at, at, "PUBLISHED", 0, folder=tmp_path / name)
            frame = listed(rows)
            (tmp_path / name).mkdir()
            frame.with_columns(as_of=pl.lit(as_of)).write_parquet(tmp_path / name / "plans.parquet")
            added = {} if name == "r4" else {plan_history.NAME: plan_history.changed_plans(con, frame)}
            record_run(con, run, added)
        refresh_views(con, tmp_path / "r3")
        yield con, tmp_path


HISTORY = "SELECT run_no, plan_id, overdue, days_past_due, is_changed FROM v_plan_history ORDER BY ALL"
EVERY_RUN = [
    (1, "P1", Decimal("0.0000"), 0, True),
    (1, "P2", Decimal("50.0000"), 3, True),
    (1, "P3", Decimal("0.0000"), 0, True),
    (2, "P1", Decimal("0.0000"), 0, False),
    (2, "P2", Decimal("50.0000"), 4, True),
    (3, "P1", Decimal("33.3400"), 1, True),
    (3, "P2", Decimal("0.0000"), 0, True),
    (3, "P4", Decimal("0.0000"), 0, True),
]


def test_a_plan_that_stays_as_it_is_costs_no_row(desk):
    con, _ = desk
    rows = con.sql("SELECT run_id, plan_id, is_listed FROM meta.plan_history ORDER BY ALL").fetchall()
    assert rows == [
        *(("r1", name, True) for name in ("P1", "P2", "P3")),
        ("r2", "P2", True),
        ("r2", "P3", False),
        *(("r3", name, True) for name in ("P1", "P2", "P4")),
    ]


def test_every_published_run_has_the_figures_of_every_plan_it_listed(desk):
    con, _ = desk
    assert con.sql(HISTORY).fetchall() == EVERY_RUN


def test_what_changed_since_the_last_published_run_is_told_by_plan_and_column(desk):
    con, folder = desk
    asked = 'SELECT plan_id, column_name, "before", "after" FROM v_changes WHERE plan_id <> \'P4\' ORDER BY ALL'
    expected = [
        ("P1", "days_past_due", "0", "1"),
        ("P1", "overdue", "0.0000", "33.3400"),
        ("P2", "days_past_due", "4", "0"),
        ("P2", "overdue", "50.0000", "0.0000"),
    ]
    assert con.sql(asked).fetchall() == expected
    came = con.sql("SELECT \"before\", \"after\" FROM v_changes WHERE plan_id = 'P4' AND column_name = 'listed'")
    assert came.fetchall() == [("false", "true")]
    small = write_read_duckdb(folder / "r3" / "read.duckdb", folder / "r3", con)
    assert read_query(small, asked).rows() == expected


@pytest.mark.parametrize("newest", [1, 2, 30])
def test_the_small_database_answers_alone_for_the_newest_runs(desk, monkeypatch, newest):
    con, folder = desk
    monkeypatch.setattr(plan_history, "RECENT", newest)
    small = write_read_duckdb(folder / "r3" / "read.duckdb", folder / "r3", con)
    assert read_query(small, HISTORY).rows() == [row for row in EVERY_RUN if row[0] > 3 - newest]


def test_a_run_that_was_never_seen_takes_its_part_of_the_history_with_it(desk):
    con, _ = desk
    at = START + timedelta(days=2)
    record_run(con, Run("r3", "r3", date(2026, 6, 30), 1, at, at, at, "FAILED", 2), {})
    assert con.sql(HISTORY).fetchall() == [row for row in EVERY_RUN if row[0] < 3]
