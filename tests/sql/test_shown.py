"""What several runs showed alike of a break is stored once, and each run is read as it showed it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import polars as pl
import pytest

from schemas.reports import REPORTS
from sql.runs import Run, record_run, severities
from sql.warehouse import Warehouse

START = datetime(2026, 6, 28, 6, 0, tzinfo=UTC)
WAITING = "Payment {} has been pending since 2026-06-09, {} business days; the limit is 5."
ODD = [
    None,
    "",
    "no number of business days",
    "007 business days",
    "A {} business days B of 5 business days",
    "5 business days, 6 business days",
    f"{'9' * 30} business days",
    "-3 business days",
    "٣ business days",
]
"""Sentences that no number can be taken from, or not this way."""
EARLIER = (
    "run_id VARCHAR NOT NULL, as_of DATE, provider VARCHAR, tenant_id VARCHAR, plan_id VARCHAR, term_id VARCHAR, payment_id VARCHAR,"
    " account_id VARCHAR, code VARCHAR, reason VARCHAR, side VARCHAR, kind VARCHAR, severity VARCHAR, state VARCHAR, expected VARCHAR,"
    " actual VARCHAR, difference DECIMAL(20, 4), difference_days BIGINT, currency VARCHAR, first_seen DATE, age_days BIGINT, fingerprint"
    " VARCHAR, explanation VARCHAR"
)
"""Columns of the one table in which an earlier version kept breaks, before they had an owner."""


def shown(name, *, on, since=date(2026, 6, 28), state="ONGOING", waits=None, **changed):
    """Return a break as the run of a day shows it; where it waits, for so many business days."""
    row = dict.fromkeys(REPORTS["breaks"].names) | {"as_of": on, "provider": "payt", "tenant_id": "17", "state": state}
    row |= {"code": "STALE_PENDING", "payment_id": name, "fingerprint": name, "severity": "low", "first_seen": since}
    row |= {"age_days": (on - since).days, "difference": Decimal("1.5000"), "explanation": WAITING.format(name, waits)}
    return row | {"difference_days": waits and waits - 5} | changed


def frame(rows):
    return pl.DataFrame(rows, schema={column.name: column.kind.value for column in REPORTS["breaks"].columns})


FIRST, SECOND = date(2026, 6, 28), date(2026, 6, 29)
DAYS = {
    "r1": [
        shown("F1", on=FIRST, state="NEW", waits=15),
        shown("F2", on=FIRST, state="NEW", waits=9),
        *(shown(f"odd {number}", on=FIRST, explanation=text) for number, text in enumerate(ODD)),
    ],
    "r2": [
        shown("F1", on=SECOND, waits=16),
        shown("F2", on=SECOND, waits=10, difference=Decimal("2.0000"), state="CHANGED", severity="high"),
        *(shown(f"odd {number}", on=SECOND, explanation=text) for number, text in enumerate(ODD)),
    ],
    "r3": [],
    "r4": [shown("F1", on=FIRST, waits=15)],
}


def recorded(con, name, rows, **changed):
    number = list(DAYS).index(name)
    at = START + timedelta(days=number)
    run = Run(name, name, FIRST + timedelta(days=number), 1, at, at, at, changed.get("state", "PUBLISHED"), 0)
    return record_run(con, run, {} if rows is None else {"breaks": frame(rows)})


def stored(con, name):
    columns = ", ".join(REPORTS["breaks"].names)
    return con.sql(f"SELECT {columns} FROM out.breaks WHERE run_id = '{name}' ORDER BY ALL").pl()


def as_shown(rows):
    return duckdb.from_arrow(frame(rows).to_arrow()).order("ALL").pl()


@pytest.fixture
def con(tmp_path):
    with Warehouse.open(tmp_path / "planrecon.duckdb", state_dir=tmp_path / "state") as warehouse:
        for name, rows in DAYS.items():
            recorded(warehouse.con, name, rows)
        yield warehouse.con


@pytest.mark.parametrize("name", DAYS)
def test_every_run_is_read_as_it_showed_its_breaks(con, name):
    assert stored(con, name).rows() == as_shown(DAYS[name]).rows()


def test_what_runs_showed_alike_is_stored_once(con):
    # F1 waits longer each day, F2 waits longer and has another amount
    counts = "SELECT fingerprint, count(*) FROM out.breaks_shown GROUP BY ALL ORDER BY ALL"
    odd = [(f"odd {number}", 1) for number in range(len(ODD))]
    assert con.sql(counts).fetchall() == [("F1", 1), ("F2", 2), *odd]


def test_what_a_sentence_says_of_days_stands_with_the_run_alone_where_it_comes_back_letter_by_letter(con):
    said = "SELECT explanation FROM out.breaks_shown WHERE fingerprint = 'F1'"
    assert con.sql(said).fetchall() == [(WAITING.format("F1", "{}"),)]
    numbers = "SELECT run_id, business_days FROM out.breaks_by_run SEMI JOIN (FROM out.breaks_shown WHERE fingerprint = 'F1') USING (shown_no)"
    assert con.sql(f"{numbers} ORDER BY ALL").fetchall() == [("r1", 15), ("r2", 16), ("r4", 15)]


def test_a_run_that_is_recorded_again_leaves_nothing_of_what_it_showed_before(con):
    recorded(con, "r2", [shown("F3", on=SECOND, waits=7)])
    assert stored(con, "r2").rows() == as_shown([shown("F3", on=SECOND, waits=7)]).rows()
    assert stored(con, "r1").rows() == as_shown(DAYS["r1"]).rows()
    left = con.sql(
        "SELECT fingerprint, difference FROM out.breaks_shown WHERE fingerprint < 'a' ORDER BY ALL"
    ).fetchall()
    assert left == [("F1", Decimal("1.5000")), ("F2", Decimal("1.5000")), ("F3", Decimal("1.5000"))]


def test_a_run_that_was_never_seen_takes_what_it_alone_showed_with_it(con):
    recorded(con, "r2", None, state="FAILED")
    assert stored(con, "r2").is_empty()
    left = con.sql("SELECT count(*) FROM out.breaks_shown WHERE fingerprint = 'F2'").fetchall()
    assert left == [(1,)]


def test_severities_are_those_of_the_run(con):
    found = severities(con, recorded(con, "r2", DAYS["r2"]))
    assert found == {row["fingerprint"]: row["severity"] for row in DAYS["r2"]}


def test_a_file_of_an_earlier_version_is_brought_over_when_it_is_opened(tmp_path):
    path, state = tmp_path / "planrecon.duckdb", tmp_path / "state"
    columns = [column.strip().split()[0] for column in EARLIER.replace("DECIMAL(20, 4)", "DECIMAL").split(",")]
    rows = pl.concat([frame(rows).select(pl.lit(name).alias("run_id"), *columns[1:]) for name, rows in DAYS.items()])
    with Warehouse.open(path, state_dir=state) as warehouse:
        con = warehouse.con
        con.execute("DROP VIEW out.breaks; DROP TABLE out.breaks_shown; DROP TABLE out.breaks_by_run")
        con.execute(f"CREATE TABLE out.breaks ({EARLIER})")
        con.register("rows", rows)
        con.execute("INSERT INTO out.breaks BY NAME FROM rows")
        con.unregister("rows")
        con.execute("UPDATE meta.about SET value = 'another' WHERE name = 'made_from'")
    for _ in range(2):
        with Warehouse.open(path, state_dir=state) as warehouse:
            for name, rows in DAYS.items():
                assert stored(warehouse.con, name).rows() == as_shown(rows).rows()
            assert warehouse.con.sql("SELECT count(*) FROM out.breaks_shown").fetchall() == [(3 + len(ODD),)]
            names = warehouse.con.sql(
                "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%breaks%' ORDER BY ALL"
            )
            assert names.fetchall() == [("breaks_by_run",), ("breaks_shown",)]


def test_another_database_reads_the_breaks_of_a_file_that_is_attached(tmp_path, con):
    con.execute("CHECKPOINT")
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes((tmp_path / "planrecon.duckdb").read_bytes())
    with duckdb.connect() as other:
        other.execute(f"ATTACH '{copy}' AS kept (READ_ONLY)")
        assert other.sql("SELECT count(*) FROM kept.out.breaks WHERE run_id = 'r2'").fetchall() == [(2 + len(ODD),)]
