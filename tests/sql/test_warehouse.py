"""A fresh warehouse has every table and view, a used one keeps them, a foreign one is refused."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import duckdb
import polars as pl
import pytest

from checks.base import discover
from schemas.core import INTEGRITY
from schemas.currencies import EXPONENTS
from schemas.reports import REPORTS, Kind
from schemas.results import BREAK_REGISTER
from schemas.words import (
    BASES,
    BREAK_STATES,
    CLASSES,
    CONFORMANCES,
    KINDS,
    SEVERITIES,
    SIDES,
    STATES,
    STATUSES,
)
from sql.connection import connect
from sql.errors import Busy, Damaged, StoreError, WrongVersion
from sql.report_tables import stored
from sql.scripts import fingerprint, scripts
from sql.storage.files import make_new
from sql.warehouse import SUSPECT, Warehouse, read_everything

VIEWS = [
    *("v_runs", "v_plans", "v_plan_accounts", "v_terms", "v_payments", "v_accounts", "v_policies", "v_breaks"),
    *(
        "v_aging",
        "v_aging_terms",
        "v_kept",
        "v_roll",
        "v_cash",
        "v_quarantine",
        "v_fetches",
        "v_writes",
        "v_acceptances",
        "v_plan_payments",
        "v_customers",
        *("v_plan_history", "v_changes", "v_daily", "v_plan_changes"),
    ),
]

PROMISED = {
    "v_plans": "as_of provider tenant_id plan_id account_id customer_id currency status flags outcome basis terms terms_satisfied missed_terms delinquent_terms amount received outstanding amount_due overdue overdue_past_grace due_today not_due unapplied pending coverage days_past_due days_past_due_business shadow_days_past_due mba_months ots_months bucket oldest_unpaid_due_date next_due_date next_due_amount provider_amount_due conformance",
    "v_terms": "as_of provider tenant_id plan_id term_id term_no flags nominal_due_date due_date currency amount waived received outstanding pending provider_outstanding state satisfied_on days_late expected_due_date expected_amount",
    "v_breaks": "as_of provider tenant_id plan_id term_id payment_id account_id code reason side kind severity state expected actual difference difference_days currency first_seen age_days fingerprint explanation",
    "v_payments": "as_of provider tenant_id payment_id plan_id account_id currency amount effective_date class provider_status reversed_on reversed_amount allocated",
    "v_aging": "as_of provider tenant_id currency bucket plans terms amount_due overdue outstanding",
    "v_aging_terms": "as_of provider tenant_id currency bucket terms plans outstanding",
    "v_cash": "as_of provider tenant_id currency horizon_days scheduled arrears pending_covered risk_adjusted",
    "v_kept": "as_of provider tenant_id currency window_days evaluated kept partly_kept broken kept_rate_count kept_rate_amount",
    "v_roll": "as_of provider tenant_id currency from_as_of from_bucket to_bucket plans opening",
    "v_exposure": "as_of provider tenant_id currency metric plans amount share",
    "v_integrity": "as_of provider tenant_id entity currency fetched accepted quarantined deduplicated amount_fetched amount_accepted amount_quarantined complete fresh_at",
}
TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.INSTANT: "TIMESTAMP WITH TIME ZONE",
    Kind.FLAG: "BOOLEAN",
    Kind.COUNT: "BIGINT",
    Kind.MONEY: "DECIMAL(20,4)",
    Kind.RATIO: "DECIMAL(20,6)",
}


@pytest.fixture
def place(tmp_path):
    return {"path": tmp_path / "planrecon.duckdb", "state_dir": tmp_path / "state"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    with Warehouse.open(folder / "planrecon.duckdb", state_dir=folder / "state") as warehouse:
        yield warehouse


def columns(warehouse: Warehouse, view: str) -> dict[str, str]:
    return {row[0]: row[1] for row in warehouse.con.sql(f"DESCRIBE {view}").fetchall()}


def test_every_promised_view_is_there_and_empty_on_a_fresh_file(fresh):
    for view in {*VIEWS, *PROMISED}:
        assert fresh.con.sql(f"SELECT * FROM {view}").fetchall() == []


@pytest.mark.parametrize("view", PROMISED)
def test_a_view_has_the_promised_columns_in_the_promised_order(fresh, view):
    promised = PROMISED[view].split()
    assert list(columns(fresh, view))[: len(promised)] == promised


@pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.name)
def test_a_view_has_the_names_and_types_of_its_report(fresh, report):
    found = columns(fresh, f"v_{report.name}")
    assert list(found) == [*report.names, *report.beside]
    for column in report.columns:
        if column.kind is not Kind.TIERS:
            assert found[column.name] == TYPES[column.kind], column.name


def test_no_view_shows_minor_units_or_money_as_anything_but_a_decimal(fresh):
    for view in VIEWS:
        for name, kind in columns(fresh, view).items():
            assert not name.endswith("_minor"), (view, name)
            assert kind not in {"DOUBLE", "FLOAT", "HUGEINT"}, (view, name)
            if name in {"amount", "outstanding", "amount_due", "difference", "allocated"}:
                assert kind == "DECIMAL(20,4)", (view, name)


def test_every_table_and_view_says_what_a_row_is(fresh):
    views = fresh.con.sql(
        "SELECT view_name, comment FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal"
    ).fetchall()
    tables = fresh.con.sql(
        "SELECT table_name, comment FROM duckdb_tables() WHERE schema_name IN ('meta', 'out')"
    ).fetchall()
    meaning = fresh.con.sql(
        "SELECT comment FROM duckdb_columns() WHERE table_name = 'v_plans' AND column_name = 'overdue'"
    ).fetchall()
    assert len(views) == len(VIEWS) + 2
    assert all(re.search(r"[Oo]ne row per", comment or "") for _, comment in [*views, *tables]), [*views, *tables]
    assert meaning == [("outstanding of terms due before the as-of date (major units of `currency`); never empty",)]


UNITS = {
    "DECIMAL(20,4)": "major units of `currency`",
    "DECIMAL(20,6)": "fraction",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "UTC",
    "BOOLEAN": "true or false",
    "BIGINT": "number|seconds|days|months|plans|terms|rows|pages|days of the month|HTTP status code",
}
WORDS = {
    ("v_terms", "state"): STATES,
    ("v_plans", "status"): STATUSES,
    ("v_plans", "basis"): BASES,
    ("v_plans", "conformance"): CONFORMANCES,
    ("v_payments", "class"): CLASSES,
    ("v_breaks", "code"): {check.code for check in discover()},
    ("v_breaks", "side"): SIDES,
    ("v_breaks", "kind"): KINDS,
    ("v_breaks", "severity"): SEVERITIES,
    ("v_breaks", "state"): BREAK_STATES,
    ("v_accounts", "kind"): ("loan", "billing", "invoice", "case"),
    ("v_exposure", "metric"): ("PAR>0", "PAR>30", "PAR>60", "PAR>90", "LARGEST_10"),
    ("v_fetches", "mode"): ("FULL", "CHANGES", "REPLAY"),
    ("v_integrity", "entity"): ("plans", "terms", "payments", "accounts", "policies", "customers"),
    ("v_runs", "state"): ("PUBLISHED", "HELD", "FAILED"),
    ("v_writes", "operation"): ("create", "update", "approve", "reject", "deactivate"),
    ("v_writes", "state"): ("planned", "approved", "sending", "done", "refused", "unknown", "parked"),
    ("v_plan_payments", "tied_by"): ("plan", "account"),
}


def test_every_column_of_every_view_tells_its_meaning_its_unit_its_words_and_what_empty_means(fresh):
    told = fresh.con.sql(
        "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal"
    ).fetchall()
    assert {view for view, *_ in told} >= set(VIEWS)
    for view, name, kind, comment in told:
        where = f"{view}.{name}: {comment}"
        assert comment is not None, where
        assert re.search(r"; (never empty|empty: \w.+)$", comment), where
        if kind in UNITS:
            assert re.search(rf"\(({UNITS[kind]})\)", comment), where
        missing = [word for word in WORDS.get((view, name), ()) if word not in comment]
        assert missing == [], where


def test_a_word_that_means_several_things_is_explained_by_its_view(fresh):
    told = {
        (view, name): comment
        for view, name, comment in fresh.con.sql(
            "SELECT table_name, column_name, comment FROM duckdb_columns()"
        ).fetchall()
    }
    assert "run ended" in told["v_runs", "state"]
    assert "rejected" in told["v_quarantine", "first_seen"]
    assert "unsatisfied" in told["v_aging", "terms"]
    assert "v_plan_payments" in told["v_payments", "plan_id"]
    assert "PROVIDER_BALANCE" in told["v_payments", "allocated"]


def test_users_meet_no_helper_behind_the_views(fresh):
    shown = [name for row in fresh.con.sql("SHOW ALL TABLES").fetchall() for name in row if isinstance(name, str)]
    assert [name for name in shown if name.startswith("latest_")] == []


def test_the_schemas_of_all_layers_are_there(fresh):
    found = {row[0] for row in fresh.con.sql("SELECT schema_name FROM duckdb_schemas()").fetchall()}
    assert {"raw", "stg", "core", "out", "meta"} <= found


def test_the_register_of_breaks_has_the_columns_of_its_gate(fresh):
    found = fresh.con.sql("SELECT * FROM meta.break_register").pl()
    assert dict(found.schema) == dict(BREAK_REGISTER.dtypes)


def test_the_integrity_table_can_fill_its_gate(fresh):
    found = fresh.con.sql("SELECT * FROM meta.integrity").pl().drop("load_no")
    wanted = [name.replace("break_currency", "currency") for name in INTEGRITY.columns]
    assert sorted(found.columns) == sorted(wanted)


def test_every_currency_has_the_worth_of_its_minor_unit(fresh):
    found = dict(fresh.con.sql("SELECT currency, minor_unit FROM meta.currencies").fetchall())
    assert len(found) == len(EXPONENTS)
    assert {code: str(found[code]) for code in ("EUR", "JPY", "KWD", "CLF")} == {
        "EUR": "0.0100",
        "JPY": "1.0000",
        "KWD": "0.0010",
        "CLF": "0.0001",
    }


def test_opening_again_changes_no_byte_and_keeps_the_rows(place):
    with Warehouse.open(**place) as warehouse, warehouse.transaction():
        warehouse.con.execute(
            "INSERT INTO meta.drift VALUES (1, 'payt', '17', 'payments', 'UNKNOWN_FIELD', 'x', NULL, 3)"
        )
    before = place["path"].read_bytes()
    with Warehouse.open(**place) as warehouse:
        assert warehouse.con.sql('SELECT name, "rows" FROM meta.drift').fetchall() == [("x", 3)]
    assert place["path"].read_bytes() == before


def test_tables_and_views_of_a_changed_program_replace_the_old_views(place):
    with Warehouse.open(**place) as warehouse:
        warehouse.con.execute("CREATE OR REPLACE VIEW v_plans AS SELECT 1 AS old")
        warehouse.con.execute("UPDATE meta.about SET value = 'older' WHERE name = 'made_from'")
    with Warehouse.open(**place) as warehouse:
        assert "old" not in columns(warehouse, "v_plans")


@pytest.mark.fault(47)
def test_a_file_of_another_version_is_refused_untouched(place):
    with Warehouse.open(**place) as warehouse:
        warehouse.con.execute("UPDATE meta.about SET value = '99' WHERE name = 'schema_version'")
    with pytest.raises(WrongVersion, match="version 99"), Warehouse.open(**place):
        pytest.fail("opened it")


def test_a_file_with_views_of_a_newer_program_is_refused_untouched_and_names_both_versions(place):
    newer = "CREATE VIEW main.v_newer AS SELECT 1 AS never_heard_of; UPDATE meta.about SET value = 'newer' WHERE name = 'made_from'"
    with Warehouse.open(**place) as warehouse:
        warehouse.con.execute(newer)
    with pytest.raises(WrongVersion, match="another version and has views") as no_run, Warehouse.open(**place):
        pytest.fail("opened it")
    assert "v_newer" in str(no_run.value)
    with connect(place["path"]) as con:
        columns = "run_id, run_key, as_of, known_load, known_at, started_at, ended_at, state, exit_code, reason, moves_breaks, run_no"
        con.execute(
            f"INSERT INTO meta.runs ({columns}, summary) SELECT 'r', 'k', DATE '2026-01-01', 1, now(), now(), now(), 'HELD', 3, '', "
            """false, 1, '{"code_version": "77.1"}'"""
        )
    with pytest.raises(WrongVersion) as refused, Warehouse.open(**place):
        pytest.fail("opened it")
    for word in ("version 77.1", f"version {version('planrecon')}", "v_newer", "planrecon rebuild"):
        assert word in str(refused.value)
    assert refused.value.code == "configuration"
    with connect(place["path"], read_only=True) as con:
        assert con.sql("SELECT value FROM meta.about WHERE name = 'made_from'").fetchall() == [("newer",)]


def test_reading_a_warehouse_that_is_not_there_says_what_to_do(place):
    with pytest.raises(StoreError, match="planrecon run"), Warehouse.open(**place, read_only=True):
        pytest.fail("opened it")
    assert not place["path"].exists()


def test_a_second_process_is_told_who_writes(place):
    with Warehouse.open(**place):
        script = (
            "import sys; from pathlib import Path; from sql.warehouse import Warehouse\n"
            f"with Warehouse.open(Path({str(place['path'])!r}), state_dir=Path({str(place['state_dir'])!r})): pass"
        )
        ended = subprocess.run(
            [sys.executable, "-c", script],
            cwd=Path(__file__).resolve().parents[2],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert Busy.__name__ in ended.stderr
    assert f"process {os.getpid()}" in ended.stderr


@pytest.mark.fault(63)
def test_a_file_that_was_replaced_under_the_writer_is_not_written(place):
    with Warehouse.open(**place) as warehouse:
        place["path"].rename(place["path"].with_suffix(".moved"))
        place["path"].write_bytes(b"")
        with pytest.raises(StoreError, match="replaced"), warehouse.transaction():
            pytest.fail("wrote to a file nobody sees")


@pytest.mark.fault(63)
def test_a_forked_child_may_not_write(place):
    with Warehouse.open(**place) as warehouse:
        object.__setattr__(warehouse, "_opened", (os.getpid() + 1, warehouse._opened[1]))
        with pytest.raises(StoreError, match="another process"), warehouse.transaction():
            pytest.fail("wrote through the parent's handle")


def test_damage_met_while_working_marks_the_file_for_a_full_read(place):
    with Warehouse.open(**place) as warehouse:
        warehouse.con.execute("CREATE TABLE core.wide AS SELECT range AS a, hash(range) AS b FROM range(200_000)")
    spoil(place["path"])
    with pytest.raises(Damaged), Warehouse.open(**place) as warehouse:
        read_everything(warehouse.con)
    assert (place["state_dir"] / SUSPECT).is_file()


def test_reading_everything_counts_the_rows_of_all_tables(place):
    with Warehouse.open(**place) as warehouse:
        before = read_everything(warehouse.con)
        warehouse.con.execute("CREATE TABLE core.few AS SELECT range AS a FROM range(5)")
        assert read_everything(warehouse.con) == before + 5


def test_the_in_memory_connection_needs_no_file():
    with connect(None) as con:
        assert con.sql("SELECT 1 AS a").pl().equals(pl.DataFrame({"a": [1]}, schema={"a": pl.Int32}))


def spoil(path: Path) -> None:
    """Flip one bit in every block behind the headers."""
    body = bytearray(path.read_bytes())
    for block in range(3 * 4096 + 1000, len(body), 262_144):
        body[block] ^= 16
    path.write_bytes(body)


def of_an_earlier_version(place, *statements: str) -> None:
    """Make a warehouse whose tables of `out` came from other declarations than today's."""
    with Warehouse.open(**place) as warehouse:
        for statement in (*statements, "UPDATE meta.about SET value = 'older' WHERE name = 'made_from'"):
            warehouse.con.execute(statement)


def test_a_stored_report_gets_the_columns_it_lacks_and_keeps_its_rows(place):
    of_an_earlier_version(
        place,
        "ALTER TABLE out.aging DROP COLUMN bucket_no",
        "INSERT INTO out.aging (run_id, bucket, amount_due) VALUES ('r1', '1-30', 33.34)",
    )
    with Warehouse.open(**place) as warehouse:
        found = warehouse.con.sql("SELECT run_id, bucket, amount_due::VARCHAR, bucket_no FROM out.aging").fetchall()
        assert found == [("r1", "1-30", "33.3400", None)]
        assert columns(warehouse, "out.aging")["bucket_no"] == "BIGINT"


def test_a_view_shows_a_column_that_its_report_has_got_since(place):
    newest = REPORTS["plans"].names[-1]
    of_an_earlier_version(place, "DROP VIEW v_plans", f"ALTER TABLE out.plans DROP COLUMN {newest}")
    with Warehouse.open(**place) as warehouse:
        assert list(columns(warehouse, "v_plans"))[-1] == newest
        assert warehouse.con.view("v_plans").select(newest).fetchall() == []


@pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.name)
def test_a_table_has_the_columns_of_its_report_and_of_a_recorded_one_the_run_before_them(fresh, report):
    found = columns(fresh, f"out.{report.name}")
    recorded = {"breaks", "aging", "aging_terms", "kept", "roll", "cash", "exposure", "integrity"}
    if report.name in recorded:
        assert next(iter(found)) == "run_id"
        with pytest.raises(duckdb.ConstraintException, match="run_id"):
            fresh.con.execute(f"INSERT INTO out.{list(stored(report))[-1]} (run_id) VALUES (NULL)")
        del found["run_id"]
    assert found == {name: columns(fresh, f"v_{report.name}")[name] for name in report.names}


def test_a_warehouse_knows_from_the_shape_of_a_report_that_it_was_made_by_another_program(monkeypatch):
    def made_from() -> str:
        scripts.cache_clear()
        fingerprint.cache_clear()
        return fingerprint()

    before = made_from()
    longer = replace(REPORTS["cash"], shown=f"{REPORTS['cash'].shown} plans")
    try:
        monkeypatch.setitem(REPORTS, "cash", longer)
        assert made_from() != before
        monkeypatch.undo()
        assert made_from() == before
    finally:
        scripts.cache_clear()
        fingerprint.cache_clear()


def test_the_second_new_warehouse_of_a_process_begins_as_the_first_did(tmp_path):
    with Warehouse.open(tmp_path / "first.duckdb", state_dir=tmp_path / "state") as first:
        first.con.execute("INSERT INTO meta.currencies VALUES ('ZZZ', '1')")
        asked = "SELECT schema_name, table_name, sql FROM duckdb_tables() UNION ALL SELECT schema_name, view_name, sql FROM duckdb_views()"
        there = sorted(first.con.sql(asked).fetchall())
    with Warehouse.open(tmp_path / "second.duckdb", state_dir=tmp_path / "state") as second:
        assert sorted(second.con.sql(asked).fetchall()) == there
        assert second.con.sql("FROM meta.currencies WHERE currency = 'ZZZ'").fetchall() == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.duckdb", "second.duckdb", "state"]


def test_a_new_file_takes_no_other_ones_place(tmp_path):
    path = tmp_path / "planrecon.duckdb"
    path.write_bytes(b"another process was first")
    make_new(path, b"ours")
    assert path.read_bytes() == b"another process was first"
    assert list(tmp_path.iterdir()) == [path]
    make_new(tmp_path / "none" / "planrecon.duckdb", b"ours")  # that it cannot be made is said when it is opened
    assert list(tmp_path.iterdir()) == [path]
