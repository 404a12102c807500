"""A run that must not be believed is held: the word stands everywhere, and what readers see stays as it was."""

import json
import re
from dataclasses import replace

import duckdb
import pytest
from storm import faults

from sandbox.assumed import Assumed
from sandbox.worlds.scenarios import GOLDEN_AS_OF, generate, golden
from transforms.breaks import life
from transforms.intake.admit import admit_parts

pytestmark = pytest.mark.usefixtures("impatient")


def small():
    return generate(seed=3, plans=24, as_of=GOLDEN_AS_OF)


def broken():
    """A small world in which the total of one plan is not that of its terms."""
    world = small()
    plan = next(row for row in world.totality.payment_plans if row["isActive"] and row["totalPlanAmount"])
    plan["totalPlanAmount"] += 4200
    return world


def warehouse_views(desk):
    """What an analyst on the warehouse itself sees."""
    with duckdb.connect(str(desk.folder / "planrecon.duckdb"), read_only=True) as con:
        return {
            view: con.sql(f"SELECT * FROM {view} ORDER BY ALL").fetchall() for view in ("v_plans", "v_terms", "v_aging")
        }


def seen_by_readers(desk):
    """Everything a reader looks at, apart from the ledger of runs."""
    published = {path.name: path.read_bytes() for path in desk.latest.iterdir() if path.suffix in {".csv", ".parquet"}}
    views = [desk.query(f"SELECT * FROM {view} ORDER BY ALL") for view in ("v_plans", "v_breaks", "v_aging")]
    return desk.latest, published, views, warehouse_views(desk)


def newest_folder(desk):
    return max([*desk.reports.glob("as_of=*/*"), *desk.reports.glob("held/as_of=*/*")], key=lambda folder: folder.name)


def assert_held(desk, answer, *, reason):
    """`answer` is the summary on standard output; the reason is named in every place."""
    folder = newest_folder(desk)
    summary = json.loads((folder / "summary.json").read_text())
    manifest = json.loads((folder / "manifest.json").read_text())
    page = (folder / "report.html").read_text()
    assert answer.splitlines()[0].startswith("HELD ")
    assert any(line.startswith("held: ") and reason in line for line in answer.splitlines())
    assert (summary["state"], manifest["state"]) == ("HELD", "HELD")
    assert any(reason in line for line in summary["held_because"])
    assert "HELD" in re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)[1]
    assert desk.query("SELECT state, exit_code, reason FROM v_runs ORDER BY run_no DESC LIMIT 1") == [
        ("HELD", 3, "; ".join(summary["held_because"]))
    ]


@pytest.fixture
def published(desk):
    """A desk with one good run behind it, and what its readers see; with Totality alone unless another is asked for."""

    def make(world, *others, **gates):
        table = (
            desk(world)
            .without(*({"payt", "payiq"} - set(others)))
            .configure(reports={"formats": ["csv", "html"]}, gates=gates)
        )
        table.begin(GOLDEN_AS_OF)
        return table, seen_by_readers(table)

    return make


@pytest.mark.fault(38)
def test_too_many_rejected_rows_hold_the_run(published):
    desk, seen = published(small())
    with desk.world.changing():
        for row in desk.world.totality.payments[::10]:
            row["amount"] = "12.345"
    total = len(desk.world.totality.payments)
    refused = len(desk.world.totality.payments[::10])
    ended = desk.command("run", "--as-of", str(GOLDEN_AS_OF))
    assert ended.returncode == 3, ended.stderr
    assert_held(desk, ended.stdout, reason=f"totality payments: {refused} of {total} rows are quarantined")
    assert seen_by_readers(desk) == seen


def test_a_share_of_rejected_rows_below_the_limit_does_not_hold(published):
    desk, _ = published(small(), quarantine_share=0.2)
    with desk.world.changing():
        for row in desk.world.totality.payments[::10]:
            row["amount"] = "12.345"
    assert desk.run(GOLDEN_AS_OF).state == "PUBLISHED"


def test_a_provider_that_was_never_read_to_its_end_holds_the_run(desk):
    table = desk(golden(), assumed=Assumed(totality_page_size=1)).configure(reports={"formats": ["csv", "html"]})
    table.sandbox.faults.add(faults.status(404), match=r"GET \S*/payments\?.*page=3", times=faults.FOREVER)
    finished = table.run(GOLDEN_AS_OF)
    assert (finished.exit_code, finished.state) == (3, "HELD")
    assert finished.first_line.startswith("HELD ")
    assert "totality: never fetched completely" in finished.text
    assert not (table.reports / "latest").exists()
    assert warehouse_views(table) == {"v_plans": [], "v_terms": [], "v_aging": []}


@pytest.mark.slow
def test_a_fetch_that_is_too_old_holds_the_run_and_a_younger_one_does_not(published):
    desk, seen = published(golden(), "payt")
    desk.sandbox.faults.add(faults.status(400), provider="totality", times=faults.FOREVER)
    within = desk.run(GOLDEN_AS_OF)
    assert (within.state, within.exit_code) == ("PUBLISHED", 0)
    seen = seen_by_readers(desk)
    desk.configure(gates={"freshness_hours": 0.00001})
    finished = desk.run(GOLDEN_AS_OF)
    assert finished.exit_code == 3
    assert_held(desk, finished.text, reason="totality: last complete fetch")
    assert "payt: last" not in finished.text
    assert seen_by_readers(desk) == seen


@pytest.mark.fault(18, 37)
def test_a_portfolio_that_shrinks_by_more_than_three_in_ten_holds_the_run(published):
    desk, seen = published(small())
    plans = desk.world.totality.payment_plans
    with desk.world.changing():
        gone = {row["uuid"] for row in plans[: len(plans) * 2 // 5]}
        plans[:] = [row for row in plans if row["uuid"] not in gone]
        rows = desk.world.totality.scheduled_payments
        rows[:] = [row for row in rows if row["paymentPlanUuid"] not in gone]
    finished = desk.run(GOLDEN_AS_OF)
    assert finished.exit_code == 3
    assert_held(desk, finished.text, reason=f"totality plans: {len(plans)} current rows, 8 in the last published run")
    assert seen_by_readers(desk) == seen


@pytest.mark.slow
@pytest.mark.fault(37)
def test_a_portfolio_that_grows_by_more_than_the_limit_is_held_too(published):
    desk, seen = published(golden())
    twins = generate(seed=9, plans=3, as_of=GOLDEN_AS_OF, providers=("totality",)).totality
    with desk.world.changing():
        for name in ("loans", "payment_plans", "scheduled_payments", "payments"):
            getattr(desk.world.totality, name).extend(getattr(twins, name))
    finished = desk.run(GOLDEN_AS_OF)
    assert_held(desk, finished.text, reason="totality plans: 4 current rows, 1 in the last published run")
    assert seen_by_readers(desk) == seen
    desk.configure(gates={"change_share": 10})
    assert desk.run(GOLDEN_AS_OF).state == "PUBLISHED"


@pytest.mark.slow
def test_one_accepted_row_lost_between_two_stages_holds_the_run(published, monkeypatch):
    desk, seen = published(golden())
    for entity in ("payments", "plans", "terms"):
        with desk.world.changing():
            desk.world.totality.payments[0]["externalId"] = f"changed, so that there is something to load: {entity}"

        def losing(*given, entity=entity, **named):
            admitted = admit_parts(*given, **named)
            return replace(admitted, accepted={**admitted.accepted, entity: admitted.accepted[entity].head(-1)})

        with monkeypatch.context() as patch:
            patch.setattr("transforms.intake.held.admit_parts", losing)
            finished = desk.run(GOLDEN_AS_OF)
        assert finished.exit_code == 3
        assert_held(desk, finished.text, reason=entity)
        assert seen_by_readers(desk) == seen
        mended = desk.run(GOLDEN_AS_OF)
        assert (mended.state, mended.exit_code) == ("PUBLISHED", 0)
        seen = seen_by_readers(desk)


@pytest.mark.slow
def test_a_held_run_does_not_move_the_life_of_breaks(published):
    desk, _ = published(broken())
    before = desk.query("SELECT fingerprint, state, first_seen FROM v_breaks ORDER BY ALL")
    assert before, "no break has a life to move"
    with desk.world.changing():
        desk.world.totality = small().totality  # in which the break of a total is gone
        for row in desk.world.totality.payments[::10]:
            row["amount"] = "12.345"
    held = desk.run(GOLDEN_AS_OF, full=True)
    assert held.state == "HELD"
    assert "RESOLVED" in {row["state"] for row in desk.rows("breaks", held.folder)}
    with desk.world.changing():
        desk.world.totality = broken().totality
    assert desk.run(GOLDEN_AS_OF, full=True).state == "PUBLISHED"
    after = desk.query("SELECT fingerprint, state, first_seen FROM v_breaks ORDER BY ALL")
    assert [(name, first) for name, _, first in after] == [(name, first) for name, _, first in before]
    assert {state for _, state, _ in after} <= {"ONGOING"}


def test_open_breaks_that_neither_stay_nor_are_told_to_be_gone_hold_the_run_with_the_numbers(published, monkeypatch):
    market, seen = published(broken())
    before = market.query("SELECT count(*) FROM v_breaks WHERE state = 'NEW'")[0][0]
    whole = life._gone
    monkeypatch.setattr(life, "_gone", lambda *given: whole(*given).clear())
    for plan in market.world.totality.payment_plans:
        plan["isActive"] = plan["isActive"] and not plan["totalPlanAmount"]
    held = market.run(GOLDEN_AS_OF, full=True)
    after = json.loads((held.folder / "summary.json").read_text())["break_movement"]
    assert after["before"] == before
    assert after["resolved"] == 0
    assert_held(market, held.text, reason=f"the open breaks do not add up: {before} open before")
    assert seen_by_readers(market) == seen
    monkeypatch.undo()
    assert market.run(GOLDEN_AS_OF).state == "PUBLISHED"
