"""The figures of plans over the published runs, in the warehouse and in the small database beside the reports."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import duckdb
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
            frame = listed(rows).with_columns(as_of=pl.lit(as_of))
            (tmp_path / name).mkdir()
            frame.write_parquet(tmp_path / name / "plans.parquet")
            added = {} if name == "r4" else {plan_history.NAME: plan_history.changed_plans(con, frame.lazy(), as_of)}
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
        ("r2", "P3", False),  # and P2, past due since 25 June, is no other
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


def published(con, folder, name, as_of, rows):
    """Publish one more run with these plans; return what it adds to the history."""
    number = int(name[1:])
    at, frame = START + timedelta(days=number), listed(rows).with_columns(as_of=pl.lit(as_of))
    (folder / name).mkdir()
    frame.write_parquet(folder / name / "plans.parquet")
    added = plan_history.changed_plans(con, frame.lazy(), as_of)
    record_run(
        con, Run(name, name, as_of, 1, at, at, at, "PUBLISHED", 0, folder=folder / name), {plan_history.NAME: added}
    )
    return added


EARLIER = (
    "run_id VARCHAR NOT NULL, provider VARCHAR NOT NULL, tenant_id VARCHAR NOT NULL, plan_id VARCHAR NOT NULL, currency VARCHAR,"
    " status VARCHAR, outcome VARCHAR, flags VARCHAR, terms BIGINT, missed_terms BIGINT, delinquent_terms BIGINT,"
    f" {', '.join(f'{name} DECIMAL(20, 4)' for name in MONEY)}, days_past_due BIGINT, bucket VARCHAR, next_due_date DATE,"
    " is_listed BOOLEAN NOT NULL"
)
"""Columns of the history as earlier versions kept it."""


def made_earlier(con, rows_of):
    """Put in place of the history the one that an earlier version kept: of each run these rows."""
    con.execute(f"DROP TABLE meta.plan_history; CREATE TABLE meta.plan_history ({EARLIER})")
    for name, rows in rows_of.items():
        con.register("rows", listed(rows).with_columns(run_id=pl.lit(name), is_listed=pl.lit(value=True)))
        con.execute("INSERT INTO meta.plan_history BY NAME FROM rows")
        con.unregister("rows")


def test_the_history_of_a_file_of_an_earlier_version_goes_on(tmp_path):
    place = {"path": tmp_path / "planrecon.duckdb", "state_dir": tmp_path / "state", "folders": [tmp_path]}
    first = date(2026, 6, 28)
    yen, dinar = {"currency": "JPY", "overdue": "7"}, {"currency": "KWD", "overdue": "1.125"}
    # which kept the days themselves: 17 is a day older on the second day, 017 pauses
    runs = {
        "r1": [plan("17", days=3, **yen), plan("017", days=5, **dinar), plan("P3", overdue="0.05", currency="XYZ")],
        "r2": [plan("17", days=4, **yen)],
    }
    with Warehouse.open(**place) as warehouse:
        for number, name in enumerate(runs, start=1):
            at = START + timedelta(days=number)
            run = Run(name, "", first + timedelta(days=number), 1, at, at, at, "PUBLISHED", 0)
            record_run(warehouse.con, run, {})
        made_earlier(warehouse.con, runs)
        warehouse.con.execute("UPDATE meta.about SET value = 'another' WHERE name = 'made_from'")
    asked = "SELECT run_no, plan_id, overdue, days_past_due, is_changed FROM v_plan_history ORDER BY ALL"
    money = {"017": Decimal("1.1250"), "17": Decimal("7.0000"), "P3": Decimal("0.0500")}

    def shown(number, **told):
        days = {"017": told["paused"], "17": told["late"], "P3": (0, number == 1)}
        return [(number, name, money[name], *days[name]) for name in ("017", "17", "P3")]

    before = [*shown(1, late=(3, True), paused=(5, True)), *shown(2, late=(4, True), paused=(5, False))]
    with Warehouse.open(**place) as warehouse:
        con = warehouse.con
        assert con.sql(asked).fetchall() == before
        rows = [plan("17", days=5, **yen), plan("017", days=5, **dinar), runs["r1"][2]]
        third = published(con, tmp_path, "r3", first + timedelta(days=3), rows)
        assert third.select("plan_id", "is_changed").rows() == [("017", False), ("17", True)]
        rows = [plan("17", days=6, **yen), plan("017", days=6, **dinar), runs["r1"][2]]
        assert published(con, tmp_path, "r4", first + timedelta(days=4), rows).is_empty()
        after = [*shown(3, late=(5, True), paused=(5, False)), *shown(4, late=(6, True), paused=(6, True))]
        assert con.sql(asked).fetchall() == before + after


def test_an_archive_of_an_earlier_version_is_recorded_as_the_history_is_kept_now(desk):
    con, _ = desk
    at = START + timedelta(days=4)
    kept = listed([plan("P5", overdue="12.34", days=2)]).with_columns(is_listed=pl.lit(value=True))
    record_run(con, Run("r5", "r5", date(2026, 7, 1), 1, at, at, at, "PUBLISHED", 0), {plan_history.NAME: kept})
    found = con.sql(f"SELECT * FROM ({HISTORY}) WHERE plan_id = 'P5'").fetchall()
    assert found == [(5, "P5", Decimal("12.3400"), 2, True)]


@pytest.mark.parametrize("is_earlier", [True, False], ids=["of an earlier version", "of this one"])
def test_the_small_database_of_a_moved_folder_tells_the_same_history(desk, is_earlier):
    con, folder = desk
    small = write_read_duckdb(folder / "r3" / "read.duckdb", folder / "r3", con)
    if is_earlier:
        with duckdb.connect(str(small)) as written:
            rows = {f"r{number}": [] for number in (1, 2, 3)}
            rows["r1"] = [plan("P1"), plan("P2", overdue="50.00", days=3)]
            rows["r2"] = [plan("P2", overdue="50.00", days=4)]
            rows["r3"] = [plan("P1", overdue="33.34", days=1), plan("P2", days=0), plan("P4")]
            made_earlier(written, {name: told for name, told in rows.items() if told})
    moved = (folder / "r3").rename(folder / "elsewhere")
    gone = [] if is_earlier else [row for row in EVERY_RUN if row[1] == "P3"]
    expected = sorted([*gone, *(row for row in EVERY_RUN if row[1] != "P3")])
    assert read_query(moved / "read.duckdb", HISTORY).rows() == expected


def lived(random):
    """Return dates and plans of some runs in a row, of plans that age, pause, change, go and come back."""
    as_of, state, runs = date(2026, 6, 1), {}, []
    for _ in range(random.randint(2, 9)):
        step = random.choice([0, 1, 1, 1, 3])
        as_of += timedelta(days=step)
        for name in ("P1", "P2", "P3", "P4"):
            days, overdue = state.get(name, (0, "0"))
            ages = (days + step if days else 0, overdue)
            state[name] = random.choice(
                [ages, ages, ages, ages, (days, overdue), (0, "0"), (random.randint(0, 4), "7.00")]
            )
        listed_now = [name for name in state if random.random() < 0.9] or ["P1"]
        runs.append((as_of, [plan(name, days=state[name][0], overdue=state[name][1]) for name in listed_now]))
    return runs


def told(runs):
    """Return what readers must find by the plans that each run listed: the history from the first run on, and the last changes.

    A plan that came back is compared with what was shown of it last.
    """
    history, changes, before, last = [], [], {}, {}
    for number, (_, rows) in enumerate(runs, start=1):
        now = {row["plan_id"]: (row["overdue"], row["days_past_due"]) for row in rows}
        history += [(number, name, *figures, before.get(name) != figures) for name, figures in now.items()]
        changes = []
        for name in now.keys() & last.keys():
            (overdue, days), (overdue_now, days_now) = last[name], now[name]
            changes += [(name, "days_past_due", str(days), str(days_now))] * (days != days_now)
            changes += [(name, "overdue", f"{overdue:.4f}", f"{overdue_now:.4f}")] * (overdue != overdue_now)
        before, last = now, last | now
    return sorted(history), sorted(changes)


@pytest.mark.parametrize("seed", range(6))
def test_figures_are_told_as_each_run_listed_them_however_plans_age_and_pause(tmp_path, monkeypatch, seed):
    random = Random(seed)
    runs = lived(random)
    with Warehouse.open(tmp_path / "planrecon.duckdb", state_dir=tmp_path / "state", folders=[tmp_path]) as warehouse:
        con = warehouse.con
        for number, (as_of, rows) in enumerate(runs):
            name = f"r{number}"
            published(con, tmp_path, name, as_of, rows)
        refresh_views(con, tmp_path / name)
        history, changes = told(runs)
        asked = (
            "SELECT plan_id, column_name, before, after FROM v_changes WHERE column_name IN ('overdue', 'days_past_due') "
            "AND before IS NOT NULL ORDER BY ALL"
        )
        assert con.sql(HISTORY).fetchall() == history
        assert con.sql(asked).fetchall() == changes
        newest = random.randint(1, 4)
        monkeypatch.setattr(plan_history, "RECENT", newest)
        small = write_read_duckdb(tmp_path / name / "read.duckdb", tmp_path / name, con)
        assert read_query(small, HISTORY).rows() == [row for row in history if row[0] > len(runs) - newest]
        assert read_query(small, asked).rows() == changes
