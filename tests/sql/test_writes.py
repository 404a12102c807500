"""Changes at the providers are kept once each, in their newest state, and shown in words and major units."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from schemas.table import GateError
from schemas.writes import AGREED_TERMS, WRITES
from sql import writes
from sql.readonly import read_query
from sql.views import write_read_duckdb
from sql.warehouse import Warehouse

NOON = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
INTENT = {
    "intent_id": "4f1c", "provider": "payt", "tenant_id": "17", "operation": "create", "plan_id": None,
    "write_state": "approved", "write_reason": "", "amount_minor": 30_001, "currency": "EUR",
    "request_sha256": "5" * 64, "answer_status": None, "planned_at": NOON, "sent_at": None, "ended_at": None,
}  # fmt: skip
THREE = [(1, date(2026, 7, 1), 10_000), (2, date(2026, 8, 1), 10_000), (3, date(2026, 9, 1), 10_001)]


@pytest.fixture
def con(tmp_path):
    with Warehouse.open(tmp_path / "planrecon.duckdb", state_dir=tmp_path / "state", folders=[tmp_path]) as warehouse:
        yield warehouse.con


def store(con, *changes, terms=THREE):
    rows = [INTENT | change for change in changes]
    agreed = [(row["intent_id"], *term) for row in rows for term in terms]
    writes.store(
        con,
        pl.DataFrame(rows, schema=dict(WRITES.dtypes), orient="row"),
        pl.DataFrame(agreed, schema=dict(AGREED_TERMS.dtypes), orient="row"),
    )


def test_an_intent_is_kept_once_and_in_its_newest_state(con):
    store(con, {})
    store(con, {})
    done = {"write_state": "done", "plan_id": "P1", "answer_status": 201, "ended_at": NOON + timedelta(minutes=1)}
    store(con, done, {"intent_id": "77aa", "operation": "update"})
    found = writes.intents(con)
    assert found.select("intent_id", "write_state", "plan_id", "answer_status", "ended_at").rows() == [
        ("4f1c", "done", "P1", 201, NOON + timedelta(minutes=1)),
        ("77aa", "approved", None, None, None),
    ]
    assert found.row(0, named=True) == INTENT | done
    assert writes.agreed_terms(con).rows() == [(name, *term) for name in ("4f1c", "77aa") for term in THREE]


def test_terms_that_an_intent_no_longer_has_are_gone_and_those_of_others_stay(con):
    store(con, {}, {"intent_id": "77aa"})
    store(con, {}, terms=THREE[:1])
    assert writes.agreed_terms(con).group_by("intent_id").len().sort("intent_id").rows() == [("4f1c", 1), ("77aa", 3)]


def test_nothing_is_kept_of_what_does_not_fit(con):
    with pytest.raises(GateError):
        store(con, {"write_state": None})
    with pytest.raises(GateError):
        store(con, {}, terms=[(1, None, 5)])
    assert writes.intents(con).is_empty()


def test_an_unused_warehouse_has_no_changes(con):
    assert writes.intents(con).equals(WRITES.empty())
    assert writes.agreed_terms(con).equals(AGREED_TERMS.empty())
    assert writes.unfinished(con) == {}
    assert writes.provider_clocks(con, 0).is_empty()


def test_what_is_done_or_refused_is_finished(con):
    states = ["approved", "sending", "unknown", "unknown", "parked", "done", "refused", "planned"]
    store(con, *[{"intent_id": f"{place}", "write_state": state} for place, state in enumerate(states)])
    assert dict(writes.unfinished(con)) == {"approved": 1, "parked": 1, "planned": 1, "sending": 1, "unknown": 2}


@pytest.mark.parametrize(
    ("currency", "amount", "first"),
    [("EUR", "300.0100", "100.00"), ("JPY", "30001.0000", "10000"), ("KWD", "30.0010", "10.000"), (None, "300.0100", "100.00")],
)  # fmt: skip
def test_the_view_has_major_units_and_the_terms_as_they_were_agreed(con, currency, amount, first):
    store(con, {"currency": currency})
    shown = con.sql("SELECT amount, currency, agreed_terms FROM v_writes").fetchall()
    last = {"EUR": "100.01", "JPY": "10001", "KWD": "10.001", None: "100.01"}[currency]
    terms = f"2026-07-01 {first}; 2026-08-01 {first}; 2026-09-01 {last}"
    assert shown == [(Decimal(amount), currency, terms)]


def test_a_change_without_an_amount_or_terms_has_none_in_the_view(con):
    store(con, {"operation": "reject", "amount_minor": None, "currency": None}, terms=[])
    assert con.sql("SELECT operation, amount, agreed_terms FROM v_writes").fetchall() == [("reject", None, None)]


def test_every_column_of_the_view_says_what_it_means(con):
    told = dict(con.sql("SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'v_writes'").fetchall())
    assert [name for name, comment in told.items() if not comment] == []
    assert (
        told["state"]
        == "how far the change came; one of planned, approved, sending, done, refused, unknown, parked; never empty"
    )
    assert "update" in told["operation"]


def test_readers_of_the_small_database_see_the_same(con, tmp_path):
    store(con, {}, {"intent_id": "77aa", "currency": "JPY"})
    folder = tmp_path / "run"
    folder.mkdir()
    path = write_read_duckdb(folder / "read.duckdb", folder, con)
    question = "SELECT * FROM v_writes ORDER BY intent_id"
    assert read_query(path, question).rows() == con.sql(question).pl().rows()
    assert read_query(path, question).height == 2


def test_the_clock_of_a_tenant_is_what_the_first_answer_of_its_newest_fetch_said(con):
    rows = [
        (1, "payt", "17", NOON), (2, "payt", "17", NOON + timedelta(hours=2)), (2, "payt", "17", NOON + timedelta(hours=1)),
        (3, "payt", "17", NOON + timedelta(hours=9)), (2, "payiq", "payiq", None),
    ]  # fmt: skip
    for place, row in enumerate(rows):
        con.execute(
            "INSERT INTO meta.fetches BY NAME SELECT $1::BIGINT AS load_no, $2 AS provider, $3 AS tenant_id, $4 AS sweep,"
            " true AS complete, '' AS reason, 1 AS pages, 1 AS rows, $5::TIMESTAMPTZ AS started_clock",
            [*row[:3], f"sweep {place}", row[3]],
        )
    assert writes.provider_clocks(con, 2).rows() == [
        ("payiq", "payiq", None),
        ("payt", "17", NOON + timedelta(hours=1)),
    ]
    assert writes.provider_clocks(con, 1).rows() == [("payt", "17", NOON)]
