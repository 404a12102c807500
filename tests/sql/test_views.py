"""Readers see one published run, from anywhere, while a writer works."""

import json
import os
import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from schemas.reports import REPORTS
from sql import views
from sql.errors import BadQuery, StoreError
from sql.readonly import read_query
from sql.views import BLANK, refresh_views, shown_folder, write_read_duckdb
from sql.warehouse import Warehouse

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reports(tmp_path):
    folder = tmp_path / "rep[o]rts of *what's* here"
    folder.mkdir()
    return folder


@pytest.fixture
def warehouse(tmp_path, reports):
    with Warehouse.open(tmp_path / "planrecon.duckdb", state_dir=tmp_path / "state", folders=[reports]) as opened:
        yield opened


def publish(reports: Path, run_id: str, *, plans: list[str], as_of: date = date(2026, 6, 30)) -> Path:
    """Write a run folder as narrow as can be: two reports, a few of their columns."""
    folder = reports / f"as_of={as_of}" / run_id
    folder.mkdir(parents=True)
    shape = {"as_of": as_of, "provider": "payt", "tenant_id": "17", "currency": "EUR"}
    rows = [{**shape, "plan_id": plan, "amount": Decimal("33.3400"), "extra": "not shown"} for plan in plans]
    schema = {
        "as_of": pl.Date,
        "provider": pl.String,
        "tenant_id": pl.String,
        "currency": pl.String,
        "plan_id": pl.String,
        "amount": pl.Decimal(20, 4),
        "extra": pl.String,
    }
    pl.DataFrame(rows, schema=schema).write_parquet(folder / "plans.parquet")
    pl.DataFrame({"provider": ["payt"], "account_id": ["invoice:1"]}).write_parquet(folder / "accounts.parquet")
    return folder


def test_views_show_the_folder_they_were_given_and_no_other(warehouse, reports):
    first = publish(reports, "r1", plans=["P1"])
    second = publish(reports, "r2", plans=["P1", "P2"])

    refresh_views(warehouse.con, first)
    assert warehouse.con.sql("SELECT plan_id, amount FROM v_plans").fetchall() == [("P1", Decimal("33.3400"))]
    refresh_views(warehouse.con, second)
    assert warehouse.con.sql("SELECT plan_id FROM v_plans ORDER BY plan_id").fetchall() == [("P1",), ("P2",)]
    assert shown_folder(warehouse.con) == second
    refresh_views(warehouse.con, None)
    assert warehouse.con.sql("SELECT plan_id FROM v_plans").fetchall() == []
    assert shown_folder(warehouse.con) is None


def test_columns_and_types_are_the_same_with_and_without_a_run(warehouse, reports):
    def described() -> list[tuple[object, ...]]:
        return [row for name in REPORTS for row in warehouse.con.sql(f"DESCRIBE v_{name}").fetchall()]

    before = described()
    refresh_views(warehouse.con, publish(reports, "r1", plans=["P1"]))
    assert described() == before


def test_a_column_the_files_lack_is_unknown_and_one_they_add_is_not_shown(warehouse, reports):
    refresh_views(warehouse.con, publish(reports, "r1", plans=["P1"]))
    row = warehouse.con.sql("SELECT * FROM v_plans").pl()
    assert row["outstanding"].to_list() == [None]
    assert "extra" not in row.columns
    assert warehouse.con.sql("SELECT account_id, balance FROM v_accounts").fetchall() == [("invoice:1", None)]


def test_the_date_in_the_path_of_the_run_folder_is_not_mistaken_for_a_column(warehouse, reports):
    refresh_views(warehouse.con, publish(reports, "r1", plans=["P1"], as_of=date(2026, 2, 28)))
    assert warehouse.con.sql("SELECT as_of FROM v_plans").fetchall() == [(date(2026, 2, 28),)]


def test_a_failed_refresh_leaves_the_old_run_in_view(warehouse, reports):
    refresh_views(warehouse.con, publish(reports, "r1", plans=["P1"]))
    torn = publish(reports, "r2", plans=["P2"])
    (torn / "terms.parquet").write_bytes(b"PAR1 torn")
    with pytest.raises(Exception, match=r"terms\.parquet"):
        refresh_views(warehouse.con, torn)
    assert warehouse.con.sql("SELECT plan_id FROM v_plans").fetchall() == [("P1",)]


@pytest.mark.fault(62)
def test_readers_ask_from_another_folder_while_a_writer_holds_the_warehouse(warehouse, reports, tmp_path):
    folder = publish(reports, "r1", plans=["P1", "P2"])
    put_ledger(warehouse)
    path = write_read_duckdb(folder / "read.duckdb", folder, warehouse.con)
    (reports / "latest").symlink_to(folder, target_is_directory=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    warehouse.con.execute("BEGIN")
    warehouse.con.execute("INSERT INTO meta.drift VALUES (1, 'payt', '17', 'payments', 'UNKNOWN_FIELD', 'x', NULL, 3)")
    script = f"""
        import duckdb, json
        with duckdb.connect({str(reports / "latest" / "read.duckdb")!r}, read_only=True) as con:
            print(json.dumps(con.sql("SELECT plan_id FROM v_plans ORDER BY plan_id").fetchall()))
            print(json.dumps(con.sql("SELECT amount::VARCHAR FROM v_quarantine ORDER BY load_no").fetchall()))
            print(json.dumps(con.sql("SELECT sweep, mode FROM v_fetches").fetchall()))
            for view in "v_runs v_terms v_breaks v_writes v_policies v_plan_accounts v_cash".split():
                con.sql(f"SELECT * FROM {{view}}").fetchall()
    """
    asked = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=elsewhere,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    warehouse.con.execute("ROLLBACK")
    assert asked.stderr == ""
    plans, amounts, fetches = (json.loads(line) for line in asked.stdout.splitlines())
    assert plans == [["P1"], ["P2"]]
    assert amounts == [["12.5000"], ["500.0000"], ["1.2500"], [None]]
    assert fetches == [["payments", "FULL"]]
    assert sorted(item.name for item in folder.iterdir()) == ["accounts.parquet", "plans.parquet", "read.duckdb"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_writing_it_again_replaces_it_for_new_readers_only(warehouse, reports):
    folder = publish(reports, "r1", plans=["P1"])
    path = write_read_duckdb(folder / "read.duckdb", folder, warehouse.con)
    with path.open("rb") as old:
        put_ledger(warehouse)
        write_read_duckdb(path, folder, warehouse.con)
        assert os.fstat(old.fileno()).st_nlink == 0
    assert read_query(path, "SELECT count(*) AS n FROM v_quarantine").item() == 4


def test_what_a_killed_writer_left_is_written_over(warehouse, reports):
    folder = publish(reports, "r1", plans=["P1"])
    (folder / ".read.duckdb.planrecon-tmp").write_bytes(b"half a database")
    (folder / ".read.duckdb.planrecon-tmp.wal").write_bytes(b"half a log")
    path = write_read_duckdb(folder / "read.duckdb", folder, warehouse.con)
    assert read_query(path, "SELECT plan_id FROM v_plans")["plan_id"].to_list() == ["P1"]
    assert not list(folder.glob(".*"))


@pytest.fixture
def next_process(monkeypatch):
    """Let every call write the small database as a process of its own would."""

    def written(warehouse, folder):
        monkeypatch.setattr(views, "_MADE", [])
        return write_read_duckdb(folder / "read.duckdb", folder, warehouse.con, state_dir=warehouse.state_dir)

    return written


def test_the_next_process_makes_no_tables_and_views_again_and_shows_its_own_run(
    warehouse, reports, monkeypatch, next_process
):
    next_process(warehouse, publish(reports, "r1", plans=["P1"]))
    monkeypatch.setattr(views, "make_views", lambda *_: pytest.fail("made again"))
    path = next_process(warehouse, publish(reports, "r2", plans=["P1", "P2"]))
    assert read_query(path, "SELECT plan_id FROM v_plans ORDER BY plan_id")["plan_id"].to_list() == ["P1", "P2"]


@pytest.mark.parametrize("place", [0, 63, 64, 65, 5_000, -1])
def test_one_flipped_bit_is_enough_to_make_them_again(warehouse, reports, next_process, place):
    folder = publish(reports, "r1", plans=["P1"])
    next_process(warehouse, folder)
    kept = warehouse.state_dir / BLANK
    body = bytearray(kept.read_bytes())
    body[place] ^= 1
    kept.write_bytes(body)
    assert read_query(next_process(warehouse, folder), "SELECT plan_id FROM v_plans")["plan_id"].to_list() == ["P1"]
    assert kept.read_bytes() != bytes(body)


def test_views_of_another_version_are_made_again(warehouse, reports, monkeypatch, next_process):
    folder = publish(reports, "r1", plans=["P1"])
    next_process(warehouse, folder)
    before = (warehouse.state_dir / BLANK).read_bytes()
    monkeypatch.setattr(views, "fingerprint", lambda: "another")
    next_process(warehouse, folder)
    assert (warehouse.state_dir / BLANK).read_bytes()[:64] != before[:64]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    root = tmp_path_factory.mktemp("published")
    folder = publish(root, "r1", plans=["P1", "P2"])
    with Warehouse.open(root / "planrecon.duckdb", state_dir=root / "state") as warehouse:
        return write_read_duckdb(folder / "read.duckdb", folder, warehouse.con)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT plan_id FROM v_plans ORDER BY plan_id",
        "FROM v_plans SELECT plan_id ORDER BY plan_id;",
        "WITH p AS (SELECT * FROM v_plans) SELECT plan_id FROM p ORDER BY 1 -- a comment",
    ],
)
def test_one_select_is_answered(database, query):
    assert read_query(database, query)["plan_id"].to_list() == ["P1", "P2"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "SELECT 1; SELECT 2",
        "COPY (SELECT 1) TO '{folder}/plans.parquet'",
        "CREATE TABLE t (a INT)",
        "DROP VIEW v_plans",
        "SET threads = 1",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/x.csv'",
        "ATTACH '{folder}/x.duckdb'",
        "PRAGMA database_list",
        "SELEC plan_id FROM v_plans",
        "SELECT nothing FROM v_plans",
        "SELECT * FROM v_nothing",
        "SELECT 'x'::BIGINT FROM v_plans",
        "SELECT * FROM read_text('/etc/hostname')",
    ],
)
def test_anything_else_is_refused_and_changes_nothing(database, query):
    before = {path.name: path.read_bytes() for path in database.parent.iterdir()}
    with pytest.raises(BadQuery) as caught:
        read_query(database, query.format(folder=database.parent))
    assert caught.value.code == "usage"
    assert {path.name: path.read_bytes() for path in database.parent.iterdir()} == before


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 'é; --' AS \"x;é\", [1] AS l; -- the é; once",
        "SELECT 'é; --' AS \"x;é\", [1] AS l /* ; */ ;; /* done; */",
        "-- é;\nSELECT 'é; --' AS \"x;é\", [1] AS l -- ;\n;\n-- end",
        'SELECT $$é; --$$ AS "x;é", [1] AS l -- no semicolon',
    ],
)
def test_one_select_is_answered_whatever_comments_stand_around_it(database, query):
    assert read_query(database, query).to_dicts() == [{"x;é": "é; --", "l": "[1]"}]


def test_a_question_before_the_first_run_says_what_to_do(tmp_path):
    with pytest.raises(StoreError, match="planrecon run"):
        read_query(tmp_path / "read.duckdb", "SELECT 1")


def put_ledger(warehouse: Warehouse) -> None:
    at = datetime(2026, 6, 30, 6, 0, tzinfo=UTC)
    warehouse.con.execute(
        "INSERT INTO meta.loads VALUES (1, 'l1', 'payt', '17', 's1', 'FULL', true, $at, $at::DATE, $at, 1)", {"at": at}
    )
    warehouse.con.execute(
        "INSERT INTO meta.fetches VALUES (1, 'payt', '17', 'payments', NULL, true, '', 2, 9, $at, 0, $at)", {"at": at}
    )
    for number, (minor, currency) in enumerate([(1250, "EUR"), (500, "JPY"), (1250, "KWD"), (None, None)], 1):
        warehouse.con.execute(
            """
            INSERT INTO meta.quarantine VALUES
            ($no, 'payt', '17', 'terms', 'aa', 0, 0, 'NOT_MONEY', 'amount', 'why', 'k', 1, $minor, $currency, $at, $at, 1)
            """,
            {"no": number, "minor": minor, "currency": currency, "at": at},
        )
