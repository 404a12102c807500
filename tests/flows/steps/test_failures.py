"""What goes wrong at providers, in rows and between processes, seen from the reports and the exit code."""

import json
import re
import signal
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from storm import faults

from flows.commands.cli import execute
from sandbox.assumed import Assumed
from sandbox.worlds import generate_payiq as payiq
from sandbox.worlds.scenarios import DEMO_AS_OF, GOLDEN_AS_OF, demo, generate, golden

NEVER = ("--fail-on", "never")
GOLDEN_RUN = ("run", "--as-of", str(GOLDEN_AS_OF))


def sixty():
    return generate(seed=5, plans=60, as_of=GOLDEN_AS_OF)


def of(rows, provider):
    return [row for row in rows if row["provider"] == provider]


def states(desk, provider=None):
    rows = desk.rows("breaks") if provider is None else of(desk.rows("breaks"), provider)
    return Counter(row["state"] for row in rows)


def equation_holds(desk):
    """Fetched is accepted, quarantined and deduplicated, for rows and for money, per line of the integrity report."""
    rows = desk.rows("integrity")
    for row in rows:
        assert int(row["fetched"]) == sum(int(row[word]) for word in ("accepted", "quarantined", "deduplicated")), row
        parts = [Decimal(row[f"amount_{word}"] or 0) for word in ("accepted", "quarantined", "deduplicated")]
        assert Decimal(row["amount_fetched"] or 0) == sum(parts), row
    return bool(rows)


# providers that are down


@pytest.mark.slow
@pytest.mark.fault(1)
@pytest.mark.usefixtures("impatient")
def test_a_provider_that_is_down_is_named_first_and_the_others_are_published(desk):
    desk = desk(golden())
    desk.configure(gates={"change_share": 1}).begin(GOLDEN_AS_OF)
    kept = of(desk.rows("plans"), "totality")
    fetches = "SELECT count(*) FROM v_fetches WHERE provider = 'totality'"
    fetched = desk.query(fetches)
    with desk.world.changing():
        [(key, paid)] = desk.world.payiq.payments.items()
        paid.append(payiq.payment(71999, key, 5000, date(2025, 6, 6)))
    desk.sandbox.faults.add(faults.drop(), provider="totality", times=faults.FOREVER)
    finished = desk.run(GOLDEN_AS_OF)
    assert (finished.state, finished.exit_code) == ("PUBLISHED", 0)
    assert "; totality 127.0.0.1 not read (provider_unreachable), figures of " in finished.text.splitlines()[0]
    assert of(desk.rows("plans"), "totality") == kept
    assert desk.query(fetches) == fetched  # what brought nothing is no fetch, and is gone on with
    [plan] = of(desk.rows("plans"), "payiq")
    assert plan["received"] == "350.00"
    source = next(
        s for s in json.loads((desk.latest / "summary.json").read_text())["sources"] if s["provider"] == "totality"
    )
    assert source["error_code"] == "provider_unreachable"
    desk.sandbox.faults.clear()
    assert "not read" not in desk.run(GOLDEN_AS_OF).text.splitlines()[0]


@pytest.mark.slow
def test_all_providers_down_is_a_failure_that_is_recorded_and_changes_nothing(desk):
    desk = desk(golden())
    desk.begin(GOLDEN_AS_OF)
    seen = desk.latest, desk.tables()
    desk.sandbox.faults.add(faults.status(403), times=faults.FOREVER)
    ended = desk.command(*GOLDEN_RUN)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "no provider could be read" in ended.stderr
    assert all(name in ended.stderr for name in ("payt", "totality", "payiq"))
    assert (desk.latest, desk.tables()) == seen
    [(state, code, reason)] = desk.query("SELECT state, exit_code, reason FROM v_runs ORDER BY run_no DESC LIMIT 1")
    assert (state, code) == ("FAILED", 2)
    assert "no provider could be read" in reason
    desk.sandbox.faults.clear()
    assert desk.run(GOLDEN_AS_OF).state == "PUBLISHED"
    assert desk.is_sound()


def test_all_providers_down_on_the_first_day_leaves_a_record_too(desk):
    desk = desk(golden()).without("payiq")
    desk.sandbox.faults.add(faults.status(403), times=faults.FOREVER)
    ended = desk.command(*GOLDEN_RUN)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert not desk.reports.exists() or not list(desk.reports.glob("as_of=*/*"))
    desk.sandbox.faults.clear()
    assert desk.run(GOLDEN_AS_OF).state == "PUBLISHED"


# pages that never came


@pytest.mark.slow
def test_a_last_page_that_never_came_proves_no_absence(desk):
    desk = desk(demo(), assumed=Assumed(totality_page_size=12)).without("payiq")
    desk.run(DEMO_AS_OF)
    plans, breaks = of(desk.rows("plans"), "totality"), states(desk, "totality")
    last = -(-len(desk.world.totality.payment_plans) // 12)
    assert last > 2
    assert breaks["NEW"] > 0
    desk.sandbox.faults.add(faults.status(404), match=rf"/payment-plans\?.*page={last}$", times=faults.FOREVER)
    finished = desk.run(DEMO_AS_OF)
    assert "totality 127.0.0.1 not read" in finished.first_line
    assert of(desk.rows("plans"), "totality") == plans
    complete = {row["entity"]: row["complete"] for row in of(desk.rows("integrity"), "totality")}
    assert complete["plans"] == "false"
    assert complete["payments"] == "true"
    [[count]] = desk.query("SELECT count(*) FROM v_fetches WHERE NOT complete AND sweep = 'payment_plans'")
    assert count == 1
    after = states(desk, "totality")
    assert set(after) <= {"NOT_EVALUATED", "ONGOING"}
    assert after["NOT_EVALUATED"] > 0
    assert sum(after.values()) == sum(breaks.values()), "a break was closed without having been looked at"
    assert set(states(desk, "payt")) <= {"ONGOING"}
    desk.sandbox.faults.clear()
    mended = desk.run(DEMO_AS_OF)
    assert "not read" not in mended.first_line
    assert {row["complete"] for row in desk.rows("integrity")} == {"true"}
    assert set(states(desk)) == {"ONGOING"}
    assert of(desk.rows("plans"), "totality") == plans


@pytest.mark.fault(18, 21)
def test_a_plan_that_vanished_from_a_complete_fetch_is_in_no_total_from_that_day_on(desk):
    desk = desk(sixty()).without("payt", "payiq")
    today = datetime.now(ZoneInfo("Europe/Amsterdam")).date()
    desk.run(today)
    world = desk.world
    active = {
        row["plan_id"] for row in desk.rows("plans") if row["status"] == "ACTIVE" and row["outstanding"] != "0.00"
    }
    gone = next(row for row in world.totality.payment_plans if row["uuid"] in active)
    [before] = [row for row in desk.rows("plans") if row["plan_id"] == gone["uuid"]]
    old = sum(Decimal(row["outstanding"]) for row in of(desk.rows("aging"), "totality"))
    with world.changing():
        world.totality.payment_plans.remove(gone)
        rows = world.totality.scheduled_payments
        rows[:] = [row for row in rows if row["paymentPlanUuid"] != gone["uuid"]]
    desk.run(today)
    new = sum(Decimal(row["outstanding"]) for row in of(desk.rows("aging"), "totality"))
    assert old - new == Decimal(before["outstanding"])
    [[known_at]] = desk.query("SELECT min(known_at) FROM v_runs")
    then = desk.report(today, known_at=known_at).folder
    assert before in desk.rows("plans", then), "what was known before stays as it was"
    [yesterday] = [
        row for row in desk.rows("plans", desk.report(GOLDEN_AS_OF).folder) if row["plan_id"] == gone["uuid"]
    ]
    assert yesterday["status"] == "ACTIVE", "it was there on the days before"


# rows that cannot be used


def test_a_malformed_row_is_kept_out_and_kept_with_its_reason(desk):
    desk = desk(sixty()).without("payiq")
    desk.run(GOLDEN_AS_OF)
    plans = desk.rows("plans")
    wrong = {"id": "990001", "administration_id": "1001", "total_amount": "10.00", "payment_date": "2025-06-31"}
    desk.sandbox.faults.add(faults.bad_row(wrong, at=2), match="GET /v1/payments\\?")
    desk.sandbox.faults.add(faults.bad_row("990002", at=1), match="GET /api/scheduled-payments")
    finished = desk.run(GOLDEN_AS_OF)
    assert finished.state == "PUBLISHED"
    [found] = desk.query("SELECT position, code, column_name, reason FROM v_quarantine WHERE provider = 'payt'")
    assert found[:3] == (2, "MISSING_FIELD", "invoice_id") or found[2] == "payment_date"
    [other] = desk.query("SELECT position, code, reason FROM v_quarantine WHERE provider = 'totality'")
    assert other[:2] == (1, "WRONG_TYPE")
    assert found[3]
    assert "99000" not in found[3] + other[2], "a reason shows no values"
    assert equation_holds(desk)
    assert sum(int(row["quarantined"]) for row in desk.rows("integrity")) == 2
    assert desk.rows("plans") == plans


def test_a_plan_with_one_bad_term_stays_out_whole_and_the_equation_holds(desk):
    desk = desk(sixty()).without("totality", "payiq").configure(gates={"quarantine_share": 0.5})
    [bad] = [row for row in desk.world.payt.payment_plans if row["active"]][:1]
    bad["payment_terms"][1]["total_amount"] = "10,00"
    desk.run(GOLDEN_AS_OF)
    assert bad["id"] not in {row["plan_id"] for row in desk.rows("plans") + desk.rows("terms")}
    integrity = {(row["entity"], row["currency"]): row for row in of(desk.rows("integrity"), "payt")}
    quarantined = {
        entity: sum(int(row["quarantined"]) for (name, _), row in integrity.items() if name == entity)
        for entity in ("plans", "terms")
    }
    assert quarantined == {"plans": 1, "terms": len(bad["payment_terms"])}
    assert equation_holds(desk)
    with desk.world.changing():
        bad["payment_terms"][1]["total_amount"] = "10.00"
    desk.run(GOLDEN_AS_OF)
    assert bad["id"] in {row["plan_id"] for row in desk.rows("plans")}


# the same again, and a little more


@pytest.mark.slow
def test_a_second_run_over_unchanged_data_writes_the_same_bytes_and_only_ages_the_breaks(desk):
    desk = desk(demo())
    first = desk.run(DEMO_AS_OF)
    before, breaks = desk.tables(), desk.rows("breaks")
    assert {row["state"] for row in breaks} == {"NEW"}
    second = desk.run(DEMO_AS_OF)
    assert desk.tables() == before
    after = desk.rows("breaks")
    assert {row["state"] for row in after} == {"ONGOING"}
    assert [row | {"state": ""} for row in after] == [row | {"state": ""} for row in breaks]
    assert equation_holds(desk)
    summaries = [json.loads((one.folder / "summary.json").read_text()) for one in (first, second)]
    moved = [{word: count for word, count in one.pop("break_movement").items() if count} for one in summaries]
    assert moved == [{"new": len(breaks), "after": len(breaks)}, {"before": len(breaks), "after": len(breaks)}]
    varying = {"run_id", "run_key", "known_at", "known_load", "started_at", "sources", "breaks"}
    old, new = summaries
    assert {key: (old[key], new[key]) for key in old.keys() - varying if old[key] != new[key]} == {}
    assert old.keys() == new.keys()
    again = desk.report(DEMO_AS_OF).folder
    assert desk.tables(again) == before


@pytest.mark.slow
def test_a_rebuilt_warehouse_reports_the_same_bytes_and_a_report_asks_no_provider_for_it(desk):
    desk = desk(demo()).without("payt", "payiq")
    first = desk.run(DEMO_AS_OF)
    before = desk.tables(first.folder)
    with desk.world.changing():
        desk.world.totality.payments.pop()
    second = desk.run(DEMO_AS_OF)
    [[known_at]] = desk.query(f"SELECT known_at FROM v_runs WHERE run_id = '{first.run_id}'")
    (desk.folder / "planrecon.duckdb").unlink()
    assert desk.run(DEMO_AS_OF).state == "PUBLISHED"
    assert desk.tables() == desk.tables(second.folder)
    (desk.folder / "planrecon.duckdb").unlink()
    desk.sandbox.forget()
    assert desk.tables(desk.report(DEMO_AS_OF, known_at=known_at).folder) == before
    assert not any(desk.sandbox.requests.values())


@pytest.mark.slow
def test_an_incremental_run_asks_for_changes_only_and_finds_them(desk, compare):
    world = demo()
    world.clock = None
    desk = desk(world)
    desk.run(DEMO_AS_OF)
    desk.sandbox.forget()
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with world.changing():
        plan = next(
            row
            for row in world.payt.payment_plans
            if row["active"] and row["payment_terms"][-1]["amount_due"] != "0.00"
        )
        plan["payment_terms"][-1] |= {"amount_due": "0.00", "payment_date": "2026-06-29"}
        plan["updated_at"] = now
        paid = next(row for row in world.totality.payments if row["status"] == "Completed" and not row["externalId"])
        new = paid | {"uuid": "c0ffee00-0000-4000-8000-000000000001", "amount": 777, "createdAt": now, "updatedAt": now}
        world.totality.payments.append(new)
    desk.run(DEMO_AS_OF)
    lines = [request.line for request in desk.sandbox.requests["payt"] if "/v1/payment_plans?" in request.line]
    assert lines
    assert all("updated_after=" in line for line in lines)
    lines = [request.line for request in desk.sandbox.requests["totality"] if re.search(r"/payments\?", request.line)]
    assert all("updatedAt" in line for line in lines)
    [shown] = [row for row in desk.rows("payments") if row["payment_id"] == new["uuid"]]
    assert (shown["amount"], shown["class"]) == ("7.77", "received")
    assert compare(desk, desk.latest, DEMO_AS_OF) == []


# processes


def waiting_for(desk, provider, count=1):
    """Wait until a provider was asked that often."""
    end = time.monotonic() + 60
    while len(desk.sandbox.requests[provider]) < count:
        assert time.monotonic() < end, "the run never asked"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.fault(60)
def test_a_second_run_at_the_same_time_is_told_who_holds_the_lock(desk):
    desk = desk(golden()).without("payt", "payiq")
    desk.sandbox.faults.add(faults.delay(8), provider="totality", after=1)
    first = desk.start(*GOLDEN_RUN)
    waiting_for(desk, "totality", 2)
    second = desk.command(*GOLDEN_RUN)
    assert second.returncode == 5
    assert f"process {first.pid}" in second.stderr
    assert desk.command("report", "--as-of", str(GOLDEN_AS_OF)).returncode == 5
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert out.startswith("PUBLISHED")


HEARING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from flows.commands.cli import main
main()
"""
"""The console script, which hears Ctrl-C also where a background shell let it be ignored."""


@pytest.mark.fault(40)
@pytest.mark.parametrize(("number", "code", "word"), [(signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "Ctrl-C")])
def test_a_signal_ends_a_run_within_seconds_and_the_next_one_fetches_no_sealed_sweep_again(desk, number, code, word):
    desk = desk(golden()).without("payiq")
    desk.sandbox.faults.add(faults.hang(40), match=r"GET \S*/payments\?", provider="totality")
    child = desk.start(*GOLDEN_RUN, program=(sys.executable, "-c", HEARING))
    waiting_for(desk, "payt", 12)
    waiting_for(desk, "totality", 5)
    time.sleep(0.5)
    sent = time.monotonic()
    child.send_signal(number)
    _, err = child.communicate(timeout=60)
    assert time.monotonic() - sent < 5
    assert child.returncode == code
    assert word in err
    assert "Traceback" not in err
    desk.sandbox.faults.clear()
    desk.sandbox.forget()
    finished = desk.run(GOLDEN_AS_OF)
    assert (finished.state, finished.exit_code) == ("PUBLISHED", 0)
    again = [request.line for request in desk.sandbox.requests["totality"] if "/payment-plans" in request.line]
    assert again == [], "a sealed sweep was fetched again"
    assert desk.is_sound()


# bad usage


def test_a_date_in_the_future_is_refused(desk):
    desk = desk(golden())
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date()
    ended = desk.command("run", "--as-of", str(tomorrow))
    assert ended.returncode == 2
    assert str(tomorrow) in ended.stderr
    assert "future" in ended.stderr
    assert not any(desk.sandbox.requests.values())


def test_an_unknown_key_is_refused_before_anything_is_fetched(desk):
    desk = desk(golden()).configure(gates={"quarantine_shares": 0.1})
    ended = desk.command(*GOLDEN_RUN)
    assert ended.returncode == 2
    assert "gates.quarantine_shares" in ended.stderr
    assert "quarantine_share'" in ended.stderr
    assert not any(desk.sandbox.requests.values())


def test_an_unknown_environment_variable_is_refused(desk):
    ended = desk(golden()).command(*GOLDEN_RUN, env={"PLANRECON_GATE__FRESHNESS_HOURS": "1"})
    assert ended.returncode == 2
    assert "PLANRECON_GATE__FRESHNESS_HOURS" in ended.stderr
    assert "'gates'" in ended.stderr


@pytest.mark.parametrize(("bar", "code"), [("low", 1), ("high", 1), ("critical", 0), ("never", 0)])
def test_the_exit_code_tells_of_open_breaks_from_the_bar_on(demo_desk, bar, code):
    severities = {row["severity"] for row in demo_desk.rows("breaks")}
    assert "high" in severities
    assert "critical" not in severities
    asked = ["report", "--as-of", str(DEMO_AS_OF), "--fail-on", bar, "--config", str(demo_desk.file)]
    assert execute(asked) == code


@pytest.fixture(scope="module")
def demo_desk(open_desk, tmp_path_factory):
    with open_desk(tmp_path_factory.mktemp("bar"), demo()) as desk:
        desk.run(DEMO_AS_OF)
        yield desk
