"""Rows that a mended program can read come in by a replay, at each provider, and stay known from it on, also when rebuilt."""

import csv
import io
import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module

import duckdb
import pytest
from storm.refusing import unreadable_payment

from flows.commands import cli
from providers.base import Reject
from sandbox.worlds.golden import PAYIQ_PLAN, PAYT_PLAN, golden
from sandbox.worlds.scenarios import GOLDEN_AS_OF as DAY

REASONS = {
    ("MISSING_FIELD", "created_on"),
    ("MISSING_FIELD", "effective_date"),
    ("NOT_A_DECIMAL", "amount"),
}
COUNTS = "SELECT * EXCLUDE (fresh_at) FROM meta.integrity ORDER BY ALL"
ENTRIES = "SELECT * FROM meta.quarantine ORDER BY ALL"


def planrecon(desk, *words):
    return cli.execute([*words, "--config", str(desk.file)])


def answer(desk, capsys, *words):
    capsys.readouterr()
    assert planrecon(desk, *words) == 0
    return capsys.readouterr().out


def stored(desk, sql):
    with duckdb.connect(desk.folder / "planrecon.duckdb", read_only=True) as con:
        return con.sql(sql).fetchall()


@contextmanager
def undecodable_plans():
    """A program that cannot decode any of Payt's plans."""
    module = import_module("providers.payt")

    def decode(entity, body, context):
        page = module_decode(entity, body, context)
        if entity != "payment_plans":
            return page
        ids = page.tables["payt__payment_plans"]["id"]
        children = len(page.tables["payt__payment_terms"]["position"])
        reject = Reject(0, "WRONG_TYPE", "id", "expected an int", str(ids[0]), children)
        return replace(
            page, tables={name: {key: [] for key in page.tables[name]} for name in page.tables}, rejects=[reject]
        )

    module_decode = module.PROVIDER.decode
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PROVIDER", replace(module.PROVIDER, decode=decode, OUTLINES={}))
        yield


CASES = {
    # All of the plan was out: 400.00 in four terms, of which Payt calls three paid and 100.00 outstanding.
    "a plan of Payt": ("payt", undecodable_plans, PAYT_PLAN, None, "100.00"),
    # Of 400.00 the 60.00 was not known to be paid; money comes to 100 + 60 + 140.
    "a payment of PayIQ": ("payiq", lambda: unreadable_payment("71010"), str(PAYIQ_PLAN), "160.00", "100.00"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_what_was_refused_comes_in_is_named_as_the_cause_and_no_earlier_report_changes(desk, capsys, case):
    provider, faulty, plan, outstanding, mended = CASES[case]
    desk = desk(golden()).configure(gates={"quarantine_share": 1, "change_share": 10})
    desk.without(*{"payt", "totality", "payiq"} - {provider})
    with faulty():
        before = desk.run(DAY)
    known = datetime.fromisoformat(json.loads((before.folder / "summary.json").read_text())["known_at"])
    assert [row["outstanding"] for row in desk.rows("plans")] == ([outstanding] if outstanding else [])

    listed = list(csv.DictReader(io.StringIO(answer(desk, capsys, "quarantine", "list", "--format", "csv"))))
    if provider == "payiq":
        # Three faults of one row are three entries of one row.
        assert {(row["code"], row["column_name"]) for row in listed} == REASONS
        assert len(listed) == 3
        assert len({row["row_id"] for row in listed}) == 1

    assert answer(desk, capsys, "quarantine", "replay") == "1 row came in, 0 stay out\n"
    assert answer(desk, capsys, "quarantine", "list", "--format", "csv").count("\n") == 1
    told = json.loads(answer(desk, capsys, "restate", "--as-of", str(DAY), "--format", "json"))
    causes = {row["change"].split(":")[0] for row in told if row["level"] == "CAUSE"}
    assert causes == {"replayed from quarantine"}
    after = desk.report(DAY)
    assert [(row["plan_id"], row["outstanding"]) for row in desk.rows("plans")] == [(plan, mended)]

    if provider == "payiq":
        return  # rows that were decoded are refused and taken in anew by `test_replay`, which rebuilds as well
    facts = [stored(desk, sql) for sql in (COUNTS, ENTRIES)]
    assert planrecon(desk, "rebuild") == 0
    assert [stored(desk, sql) for sql in (COUNTS, ENTRIES)] == facts
    rebuilt, past = desk.report(DAY), desk.report(DAY, known_at=known)
    assert desk.tables(rebuilt.folder) == desk.tables(after.folder)
    assert desk.tables(past.folder) == desk.tables(before.folder)


@pytest.mark.parametrize(("full", "left"), [(False, "1 stays out"), (True, "0 stay out")], ids=["a change", "all"])
def test_what_the_provider_has_shown_since_counts_and_not_the_refused_row(desk, capsys, full, left):
    world = golden()
    world.clock = None
    desk = desk(world).without("totality", "payiq").configure(gates={"quarantine_share": 1, "change_share": 10})
    payment = "770002"
    with unreadable_payment(payment):
        desk.run(DAY)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with desk.world.changing():
        row = next(row for row in desk.world.payt.payments if row["id"] == payment)
        row |= {"total_amount": "55.00", "total_book_amount": "55.00", "updated_at": now}
    desk.run(DAY, full=full)
    assert desk.query("SELECT max_by(mode, load_no) FROM v_fetches") == [("FULL" if full else "CHANGES",)]
    amounts = {row["payment_id"]: row["amount"] for row in desk.rows("payments")}
    assert amounts[payment] == "55.00"
    assert answer(desk, capsys, "quarantine", "replay") == f"0 rows came in, {left}\n"
    desk.report(DAY)
    assert {row["payment_id"]: row["amount"] for row in desk.rows("payments")} == amounts
