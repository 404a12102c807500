"""A run is recorded once, whole, and in the right order among the others."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from schemas.results import BREAK_REGISTER
from sql.runs import (
    Run,
    find_runs,
    known_load,
    latest_published,
    loaded_at,
    read_register,
    record_run,
    report_frames,
)
from sql.warehouse import Warehouse

START = datetime(2026, 6, 30, 6, 0, tzinfo=UTC)
RUN = Run(
    run_id="r1",
    run_key="k1",
    as_of=date(2026, 6, 30),
    known_load=2,
    known_at=START,
    started_at=START,
    ended_at=START + timedelta(minutes=1),
    state="PUBLISHED",
    exit_code=1,
    folder=Path("/reports/as_of=2026-06-30/r1"),
    summary={"breaks": 3, "note": "it's “fine”"},
)


@pytest.fixture
def con(tmp_path):
    with Warehouse.open(tmp_path / "planrecon.duckdb", state_dir=tmp_path / "state") as warehouse:
        yield warehouse.con


def aging(*amounts: str) -> pl.DataFrame:
    rows = [
        {
            "as_of": date(2026, 6, 30),
            "provider": "payt",
            "tenant_id": "17",
            "currency": "EUR",
            "bucket": "1-30",
            "plans": 1,
            "terms": 2,
            "amount_due": Decimal(amount),
            "overdue": Decimal(amount),
            "outstanding": Decimal(amount),
            "bucket_no": 1,
        }
        for amount in amounts
    ]
    money = dict.fromkeys(("amount_due", "overdue", "outstanding"), pl.Decimal(20, 4))
    return pl.DataFrame(rows, schema_overrides=money)


def register(*fingerprints: str) -> pl.DataFrame:
    text = {
        name: [f"{name} {number}" for number, _ in enumerate(fingerprints)]
        for name, dtype in BREAK_REGISTER.dtypes.items()
        if dtype == pl.String()
    }
    count = len(fingerprints)
    closed = {
        "side": ["ours"] * count,
        "kind": ["real"] * count,
        "declared_severity": ["low"] * count,
        "least_severity": [None] * count,
    }
    life = {"break_state": ["NEW"] * count, "is_open": [True] * count, "reopened": [0] * count}
    days = {"first_seen": [date(2026, 6, 1)] * count, "last_seen": [date(2026, 6, 30)] * count}
    numbers = {"difference_minor": [-5] * count, "difference_days": [None] * count}
    rows = {**text, **closed, **life, **days, **numbers, "fingerprint": list(fingerprints)}
    return pl.DataFrame(rows, schema=dict(BREAK_REGISTER.dtypes))


def counted(con, table: str) -> list[tuple[str, int]]:
    return con.sql(f"SELECT run_id, count(*) FROM {table} GROUP BY ALL ORDER BY ALL").fetchall()


def test_a_recorded_run_comes_back_as_it_was(con):
    recorded = record_run(con, RUN, {})
    assert recorded == replace(RUN, run_no=1)
    assert find_runs(con, run_id="r1") == [recorded]
    assert find_runs(con, as_of=date(2026, 6, 29)) == []
    assert con.sql("SELECT state, exit_code, summary->>'note' FROM v_runs").fetchall() == [
        ("PUBLISHED", 1, "it's “fine”")
    ]


def test_recording_a_run_again_replaces_its_rows_and_keeps_its_number(con):
    record_run(con, RUN, {"aging": aging("1.00", "2.00")})
    record_run(con, replace(RUN, run_id="r2"), {"aging": aging("9.00")})
    record_run(con, replace(RUN, exit_code=0), {"aging": aging("3.50")})

    assert counted(con, "out.aging") == [("r1", 1), ("r2", 1)]
    assert con.sql("SELECT amount_due FROM out.aging WHERE run_id = 'r1'").fetchall() == [(Decimal("3.5000"),)]
    assert [(run.run_id, run.run_no, run.exit_code) for run in find_runs(con)] == [("r1", 1, 0), ("r2", 2, 1)]


def test_minor_units_are_never_taken_for_major_ones(con):
    wrong = aging("1.00").with_columns(amount_due=pl.lit(100, pl.Int64))
    with pytest.raises(ValueError, match=r"aging.*amount_due \(Int64"):
        record_run(con, RUN, {"aging": wrong})
    with pytest.raises(ValueError, match=r"bucket \(missing"):
        record_run(con, RUN, {"aging": aging("1.00").drop("bucket")})
    assert find_runs(con) == []
    assert counted(con, "out.aging") == []


def test_a_failure_in_the_last_step_leaves_nothing_of_the_run(con):
    record_run(con, RUN, {"aging": aging("1.00")}, register("f1"))
    bad = register("f1", "f1")
    with pytest.raises(Exception, match="fingerprint"):
        record_run(con, replace(RUN, run_id="r2", moves_breaks=True), {"aging": aging("2.00")}, bad)
    assert counted(con, "out.aging") == [("r1", 1)]
    assert [run.run_id for run in find_runs(con)] == ["r1"]


def test_only_a_run_that_moves_breaks_replaces_the_register(con):
    assert read_register(con).is_empty()
    record_run(con, replace(RUN, moves_breaks=True), {}, register("f1", "f2"))
    record_run(con, replace(RUN, run_id="r2", as_of=date(2026, 5, 31)), {}, register("f9"))
    assert read_register(con)["fingerprint"].to_list() == ["f1", "f2"]
    record_run(con, replace(RUN, run_id="r3", moves_breaks=True), {}, register("f2"))
    assert read_register(con)["fingerprint"].to_list() == ["f2"]


def test_recording_an_older_run_again_does_not_turn_the_register_back(con):
    old = replace(RUN, moves_breaks=True)
    record_run(con, old, {}, register("f1"))
    record_run(con, replace(RUN, run_id="r2", moves_breaks=True), {}, register("f2"))
    record_run(con, old, {}, register("f1"))
    assert read_register(con)["fingerprint"].to_list() == ["f2"]


def test_the_register_comes_back_cell_by_cell(con):
    given = register("f1", "f2")
    record_run(con, replace(RUN, moves_breaks=True), {}, given)
    assert read_register(con).equals(given)


def test_the_latest_published_run_is_of_the_newest_date_and_held_ones_never_show(con):
    assert latest_published(con) is None
    record_run(con, RUN, {})
    record_run(con, replace(RUN, run_id="older", as_of=date(2026, 5, 31)), {})
    assert latest_published(con).run_id == "r1"
    record_run(con, replace(RUN, run_id="again"), {})
    record_run(con, replace(RUN, run_id="held", as_of=date(2026, 7, 1), state="HELD", folder=None), {})
    assert latest_published(con).run_id == "again"


def test_what_was_known_at_a_moment_is_the_loads_before_it(con):
    assert known_load(con) == 0
    for number, minute in ((1, 0), (2, 10), (3, 20)):
        put_load(con, number, START + timedelta(minutes=minute))
    assert known_load(con) == 3
    assert known_load(con, START - timedelta(microseconds=1)) == 0
    assert known_load(con, START) == 1
    assert known_load(con, START + timedelta(minutes=19)) == 2
    assert known_load(con, START + timedelta(days=1)) == 3
    assert loaded_at(con, 2) == START + timedelta(minutes=10)
    assert loaded_at(con, 4) is None


def test_a_clock_that_went_backwards_never_shows_what_was_known_later(con):
    for number, minute in ((1, 0), (2, 30), (3, 10)):
        put_load(con, number, START + timedelta(minutes=minute))
    assert known_load(con, START + timedelta(minutes=20)) == 1
    assert known_load(con, START + timedelta(minutes=30)) == 3


def test_reports_are_read_back_from_a_run_folder(con, tmp_path):
    aging("1.25").write_parquet(tmp_path / "aging.parquet")
    frames = report_frames(tmp_path)
    assert list(frames) == ["aging"]
    record_run(con, RUN, frames)
    assert con.sql("SELECT overdue FROM out.aging").fetchall() == [(Decimal("1.2500"),)]


def put_load(con, number: int, at: datetime) -> None:
    con.execute(
        "INSERT INTO meta.loads VALUES ($no, $id, 'payt', '17', 's', 'FULL', true, $at, $at::DATE, $at, 1)",
        {"no": number, "id": f"l{number}", "at": at},
    )
