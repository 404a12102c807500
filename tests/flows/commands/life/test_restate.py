"""What a figure of a past day was, what it is, and the rows that made the difference, through the front door."""

import io
import json
from collections import defaultdict
from contextlib import redirect_stdout
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from flows.commands.cli import execute
from flows.commands.life.restate import changed_settings
from flows.configuration import load
from flows.steps.run_key import fingerprint, version
from sandbox.worlds import generate_payiq as payiq
from sandbox.worlds import generate_totality as totality
from sandbox.worlds.golden import PAYIQ_PLAN, TOTALITY_LOAN, TOTALITY_PAYMENTS, TOTALITY_PLAN, golden, golden_reversed
from sandbox.worlds.scenarios import GOLDEN_AS_OF, generate

LAST = date(2025, 6, 7)
FIGURES = ("amount_due", "overdue", "received", "outstanding", "pending", "days_past_due", "missed_terms")


def known_at(finished):
    return json.loads((finished.folder / "summary.json").read_text())["known_at"]


def restated(desk, day, *options):
    """The rows of the answer, as JSON gives them."""
    said = io.StringIO()
    with redirect_stdout(said):
        asked = ("restate", "--as-of", str(day), "--format", "json", *options, "--config", str(desk.file))
        assert execute(asked) == 0
    return json.loads(said.getvalue())


def moved(rows, level, plan):
    """Old and new value of each figure of a plan, and the difference."""
    chosen = [row for row in rows if row["level"] == level and row["plan_id"] == plan]
    return {row["figure"]: (row["old"], row["new"], row["difference"]) for row in chosen if row["figure"] != "outcome"}


def causes(rows):
    return {(row["entity"], row["id"]) for row in rows if row["level"] == "CAUSE"}


@pytest.fixture(scope="module")
def reversal(open_desk, tmp_path_factory):
    """The worked example before and after its 60.00 was returned: effective 5 April, known after the first reports."""
    with open_desk(tmp_path_factory.mktemp("reversal"), golden()) as desk:
        desk.configure(run={"grace_days": 5})
        first = desk.run(LAST)
        april = desk.report(date(2025, 4, 30))
        stored = {path.name: path.read_bytes() for path in april.folder.iterdir()}
        with desk.world.changing():
            desk.world.totality = golden_reversed().totality
        desk.run(LAST)
        yield desk, first, april, stored


@pytest.mark.slow
def test_the_reversal_of_the_worked_example_is_named_as_the_one_cause(reversal):
    desk, _, april, stored = reversal
    rows = restated(desk, "2025-04-30")
    expected = {
        "amount_due": ("40.00", "100.00", "60.00"),
        "overdue": ("40.00", "100.00", "60.00"),
        "received": ("160.00", "100.00", "-60.00"),
        "outstanding": ("240.00", "300.00", "60.00"),
        "missed_terms": ("0", "1", "1"),
    }
    assert moved(rows, "PLAN", TOTALITY_PLAN) == expected
    assert moved(rows, "CAUSE", TOTALITY_PLAN) == expected
    assert causes(rows) == {("payments", TOTALITY_PAYMENTS[1])}
    cause = next(row for row in rows if row["level"] == "CAUSE")
    assert "class received -> reversed" in cause["change"]
    assert (cause["effective_date"], cause["provider"]) == ("2025-04-05", "totality")
    assert datetime.fromisoformat(cause["known_at"]) > datetime.fromisoformat(known_at(april))
    total = {(row["provider"], row["figure"]): (row["old"], row["new"]) for row in rows if row["level"] == "TOTAL"}
    assert total["totality", "overdue"] == ("40.00", "100.00")
    assert total["payt", "overdue"] == ("100.00", "100.00")
    assert {path.name: path.read_bytes() for path in april.folder.iterdir()} == stored


def test_a_day_that_was_never_published_is_compared_with_what_was_known_then(reversal):
    desk, first, _, _ = reversal
    rows = restated(desk, "2025-05-20", "--from", known_at(first))
    figures = moved(rows, "PLAN", TOTALITY_PLAN)
    assert figures["overdue"] == ("0.00", "60.00", "60.00")
    assert figures["days_past_due"] == ("0", "19", "19")
    assert causes(rows) == {("payments", TOTALITY_PAYMENTS[1])}
    ended = desk.command("restate", "--as-of", "2025-05-20")
    assert ended.returncode == 2
    assert "--from" in ended.stderr


def test_nothing_differs_between_two_moments_at_which_the_same_was_known(reversal):
    desk, first, _, _ = reversal
    moments = ("--from", known_at(first), "--to", known_at(first))
    assert {row["level"] for row in restated(desk, LAST, *moments)} == {"TOTAL"}
    early = desk.command("restate", "--as-of", str(LAST), "--to", "2020-01-01")
    assert early.returncode == 2


def test_which_plans_changed_since_the_last_published_run_and_how_is_one_select(reversal):
    desk, _, _, _ = reversal
    asked = "select provider, plan_id, column_name, before, after from v_changes order by all"
    told = {(plan, column): (old, new) for _, plan, column, old, new in desk.query(asked)}
    # 240.00 are left of 300.00: the third term lacks 60.00, the fourth is open.
    assert told[TOTALITY_PLAN, "received"] == ("300.0000", "240.0000")
    assert told[TOTALITY_PLAN, "overdue"] == ("100.0000", "160.0000")
    assert {plan for plan, _ in told} == {TOTALITY_PLAN}
    history = "select as_of, overdue from v_plan_history where plan_id = '{}' order by run_no"
    assert desk.query(history.format(TOTALITY_PLAN)) == [(LAST, Decimal(100)), (LAST, Decimal(160))]
    assert desk.query(history.format(PAYIQ_PLAN)) == [(LAST, Decimal(100))] * 2
    daily = "select overdue, is_newest_of_day from v_daily where provider = 'totality' order by run_no"
    assert desk.query(daily) == [(Decimal(100), False), (Decimal(160), True)]
    versions = (
        "select column_name, before, after, known_until from v_plan_changes where id = '{}' and "
        "column_name in ('class', 'reversed_on') order by all"
    )
    expected = [("class", "received", "reversed", None), ("reversed_on", None, "2025-04-05", None)]
    assert desk.query(versions.format(TOTALITY_PAYMENTS[1])) == expected


def test_other_settings_are_a_cause_of_their_own(reversal):
    desk, _, _, _ = reversal
    desk.configure(run={"grace_days": 30})
    try:
        rows = restated(desk, "2025-04-30")
    finally:
        desk.configure(run={"grace_days": 5})
    # On 30 April the second term is 29 days late: with 30 days of grace no reversal makes it a missed one.
    assert "missed_terms" not in moved(rows, "PLAN", TOTALITY_PLAN)
    payt = [row for row in rows if row["provider"] == "payt" and row["level"] == "CAUSE"]
    assert {(row["entity"], row["figure"], row["old"], row["new"]) for row in payt} == {
        ("settings", "missed_terms", "1", "0"),
        ("settings", "outcome", "AT_RISK", "ON_TRACK"),
    }
    assert all("run.grace_days 5 -> 30" in row["change"] for row in payt)


def test_of_a_changed_file_its_key_is_named_and_not_its_lines(reversal):
    desk, _, _, _ = reversal
    told = {"settings": json.loads(fingerprint(load(desk.file))), "code_version": version()}
    files = {"pauses_file": "pauses.csv", "customers_file": "customers.csv"}
    (desk.folder / "pauses.csv").write_text(
        "provider,tenant_id,plan_id,start,end,reason\npayt,,2603746,2025-04-05,2025-04-08,away\n", encoding="utf-8"
    )
    (desk.folder / "customers.csv").write_text(
        "provider,tenant_id,customer_id,account_id,customer\npayt,,543239,,K1\n", encoding="utf-8"
    )
    try:
        desk.configure(run=files)
        named = changed_settings(load(desk.file), told)
    finally:
        desk.configure(run=dict.fromkeys(files))
    assert named == "lines of run.customers_file, lines of run.pauses_file"


@pytest.mark.slow
def test_a_payment_of_yesterday_is_the_only_cause_and_one_of_today_is_none(desk):
    desk = desk(golden()).without("payt")
    desk.run(LAST)
    eve = LAST - timedelta(days=1)
    before = desk.report(eve)
    stored = {path.name: path.read_bytes() for path in before.folder.iterdir()}
    with desk.world.changing():
        [(key, paid)] = desk.world.payiq.payments.items()
        paid.append(payiq.payment(71999, key, 5000, eve))
        late = totality.payment("aa0e3c52-77f1-4f0e-8a6b-000000000009", TOTALITY_LOAN, 2500, LAST)
        desk.world.totality.payments.append(late)
    desk.run(LAST)
    rows = restated(desk, eve)
    assert {row["plan_id"] for row in rows if row["level"] != "TOTAL"} == {str(PAYIQ_PLAN)}
    assert moved(rows, "PLAN", str(PAYIQ_PLAN)) == {
        "amount_due": ("100.00", "50.00", "-50.00"),
        "overdue": ("100.00", "50.00", "-50.00"),
        "received": ("300.00", "350.00", "50.00"),
        "outstanding": ("100.00", "50.00", "-50.00"),
        "missed_terms": ("1", "0", "-1"),
    }
    [(entity, name)] = causes(rows)
    assert entity == "payments"
    assert "71999" in name
    assert {path.name: path.read_bytes() for path in before.folder.iterdir()} == stored
    again = desk.report(eve).folder
    [plan] = [row for row in desk.rows("plans", again) if row["provider"] == "payiq"]
    assert plan["overdue"] == "50.00"


def change_much(world):
    """Return payments, change terms, end plans and remove one, take payments away, and pay Payt's terms without telling since when."""
    with world.changing():
        for number, row in enumerate(world.totality.payments):
            if row["status"] == "Completed" and number % 3 == 0:
                row |= {"status": "Returned", "returnedAt": "2025-05-20T15:00:00Z", "updatedAt": "2025-06-07T15:00:00Z"}
        world.totality.payments.pop(1)
        for row in world.totality.scheduled_payments[::5]:
            row |= {"amount": row["amount"] + 1100, "updatedAt": "2025-06-07T15:00:00Z"}
        for row in [row for row in world.totality.payment_plans if row["isActive"]][-3:]:
            row |= {"isActive": False, "updatedAt": "2025-05-02T15:00:00Z"}
        gone = world.totality.payment_plans.pop(0)
        terms = world.totality.scheduled_payments
        terms[:] = [row for row in terms if row["paymentPlanUuid"] != gone["uuid"]]
        for rows in list(world.payiq.payments.values())[::2]:
            if rows:
                rows.pop()
        for plan in [row for row in world.payt.payment_plans if row["active"]][::2]:
            plan["updated_at"] = world.clock
            plan["payment_terms"][0] |= {"amount_due": "0.00", "payment_date": "2025-06-05"}
            plan["payment_terms"][-1]["due_date"] = "2025-06-01"


@pytest.mark.slow
def test_effects_of_a_whole_portfolio_add_up_to_what_the_next_report_says(desk):
    desk = desk(generate(seed=11, plans=45, as_of=GOLDEN_AS_OF)).configure(gates={"change_share": 1})
    old = desk.run(GOLDEN_AS_OF)
    change_much(desk.world)
    new = desk.run(GOLDEN_AS_OF, full=True)
    rows = restated(desk, GOLDEN_AS_OF)
    was, now = (
        {(row["provider"], row["plan_id"]): row for row in desk.rows("plans", run.folder)} for run in (old, new)
    )
    expected = {
        (*plan, figure): (Decimal(was[plan][figure] or 0), Decimal(row[figure] or 0))
        for plan, row in now.items()
        for figure in FIGURES
        if Decimal(was[plan][figure] or 0) != Decimal(row[figure] or 0)
    }
    assert len({plan for _, plan, _ in expected}) > 15, "the world must change a lot, or nothing is shown"
    effects, told = defaultdict(Decimal), {}
    for row in rows:
        key = (row["provider"], row["plan_id"], row["figure"])
        if row["figure"] == "outcome" or row["level"] == "TOTAL":
            continue
        if row["level"] == "PLAN":
            told[key] = (Decimal(row["old"]), Decimal(row["new"]))
        else:
            effects[key] += Decimal(row["difference"])
    assert {key: pair for key, pair in told.items() if pair[0] != pair[1]} == expected
    assert {key: effects[key] for key in told} == {key: after - before for key, (before, after) in told.items()}
    assert {row["entity"] for row in rows if row["level"] == "CAUSE"} >= {"payments", "terms", "plans"}
    for row in (row for row in rows if row["level"] == "TOTAL"):
        ours = [
            plan
            for plan in now.values()
            if all(plan[name] == row[name] for name in ("provider", "tenant_id", "currency"))
        ]
        assert Decimal(row["new"]) == sum(Decimal(plan[row["figure"]] or 0) for plan in ours)
        assert Decimal(row["difference"]) == Decimal(row["new"]) - Decimal(row["old"])
