"""Refused rows get a second chance from their bytes as landed: they come in once, and no earlier figure changes."""

import json
from datetime import datetime

import polars as pl
import pytest

from flows.commands import cli
from sandbox.worlds.scenarios import GOLDEN_AS_OF, generate
from transforms.intake import held

DAY = GOLDEN_AS_OF


def planrecon(desk, *words):
    return cli.execute([*words, "--config", str(desk.file)])


def market(open_desk, folder):
    return open_desk(folder, generate(seed=3, plans=24, as_of=DAY))


def narrow(admit_parts, payment, plan):
    """A program that cannot read one payment and one term of a plan, although nothing is wrong with them."""

    def unread(column, value):
        units = pl.when(pl.col(column) == value).then(None).otherwise(pl.col("amount_units"))
        text = pl.when(pl.col(column) == value).then(pl.lit("1.2.3")).otherwise(pl.col("amount"))
        return {"amount_units": units, "amount": text}

    def spoilt(staged):
        payments = staged["payments"].with_columns(**unread("payment_id", payment))
        terms = staged["terms"].with_columns(**unread("plan_id", plan))
        return {**staged, "payments": payments, "terms": terms}

    def refusing(parts, **rest):
        return admit_parts(map(spoilt, parts), **rest)

    return refusing


@pytest.fixture(scope="module")
def refused(open_desk, tmp_path_factory):
    with market(open_desk, tmp_path_factory.mktemp("replay")) as desk, pytest.MonkeyPatch.context() as patch:
        desk.without("payt", "payiq").configure(gates={"quarantine_share": 1})
        payment = desk.world.totality.payments[0]["uuid"]
        plan = next(row for row in desk.world.totality.payment_plans if row["isActive"])["uuid"]
        patch.setattr(held, "admit_parts", narrow(held.admit_parts, payment, plan))
        desk.before = desk.run(DAY)
        patch.undo()
        desk.names = {payment, plan}
        yield desk


@pytest.mark.slow
def test_rows_that_are_good_now_come_in_once_and_the_figures_of_before_stay(refused, open_desk, tmp_path, capsys):
    desk = refused
    known = datetime.fromisoformat(json.loads((desk.before.folder / "summary.json").read_text())["known_at"])
    ids = {row["payment_id"] for row in desk.rows("payments")} | {row["plan_id"] for row in desk.rows("plans")}
    assert not ids & desk.names

    assert planrecon(desk, "quarantine", "replay") == 0
    told = capsys.readouterr().out
    assert "came in, 0 stay out" in told
    assert not told.startswith("0 rows")
    loads = desk.query("SELECT load_no, mode FROM v_fetches GROUP BY ALL ORDER BY ALL")
    after = desk.report(DAY)
    ids = {row["payment_id"] for row in desk.rows("payments")} | {row["plan_id"] for row in desk.rows("plans")}
    assert desk.names <= ids
    assert planrecon(desk, "quarantine", "list", "--format", "csv") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1

    # The same world read without a fault gives the same figures.
    with market(open_desk, tmp_path) as clean:
        clean.without("payt", "payiq")
        clean.run(DAY)
        for name in ("plans", "terms", "payments", "aging"):
            assert desk.rows(name) == clean.rows(name), name

    assert planrecon(desk, "quarantine", "replay") == 0
    assert "0 rows came in, 0 stay out" in capsys.readouterr().out
    assert desk.query("SELECT load_no, mode FROM v_fetches GROUP BY ALL ORDER BY ALL") == loads
    again = desk.report(DAY)
    assert desk.tables(again.folder) == desk.tables(after.folder)

    past = desk.report(DAY, known_at=known)
    assert desk.tables(past.folder) == desk.tables(desk.before.folder)
    capsys.readouterr()
    assert planrecon(desk, "verify") == 0, capsys.readouterr().out

    entries = "SELECT * EXCLUDE (page_sha256) FROM v_quarantine ORDER BY ALL"
    told, counts = desk.query(entries), "SELECT * FROM v_fetches ORDER BY ALL"
    counted = desk.query(counts)
    assert planrecon(desk, "rebuild") == 0
    rebuilt, past = desk.report(DAY), desk.report(DAY, known_at=known)
    assert desk.tables(rebuilt.folder) == desk.tables(after.folder)
    assert desk.tables(past.folder) == desk.tables(desk.before.folder)
    assert desk.query(entries, rebuilt.folder) == told
    assert desk.query(counts, rebuilt.folder) == counted
    capsys.readouterr()
    assert planrecon(desk, "verify") == 0, capsys.readouterr().out
