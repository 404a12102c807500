"""Changes made through us, in the warehouse and beside what the provider shows, from the log to the report files.

The worked example at all three providers: four terms of 100.00 on the first of March to June 2025. What was agreed is
written into the log by hand, as done at noon of 7 June 2025; every fetch comes after it.
"""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from storm import faults

from flows.errors import NothingRead
from sandbox.worlds.golden import DUES, PAYIQ_PLAN, PAYT_PLAN, TOTALITY_PLAN, golden
from sql.connection import connect
from writes.intents import APPROVED, DONE, PARKED, REFUSED, SENDING, UNKNOWN, AgreedTerm, Draft
from writes.ledger import Ledger

DAY = date(2025, 6, 7)
NOON = datetime(2025, 6, 7, 12, 0, tzinfo=UTC)
HUNDRED = tuple((due, 10_000) for due in DUES)
PLANS = {"payt": (PAYT_PLAN, "1001", "EUR"), "totality": (TOTALITY_PLAN, "127.0.0.1", "USD"), "payiq": (str(PAYIQ_PLAN), "payiq", "USD")}  # fmt: skip
WHO = {"who": "anna"}


def planned(desk, operation="create", provider="payt", *, terms=HUNDRED, plan_id=None, at=NOON):
    """Write down a change that was approved and not sent yet."""
    known, tenant, currency = PLANS[provider]
    agreed = tuple(AgreedTerm(due, minor) for due, minor in terms)
    draft = Draft(
        provider=provider,
        operation=operation,
        tenant_id=tenant,
        plan_id=None if operation == "create" else plan_id or known,
        owner="",
        key=f"{provider} {operation} {plan_id or known} {at}",
        request_sha256="5" * 64,
        summary=f"{operation} at {provider}",
        currency=currency,
        amount_minor=sum(minor for _, minor in terms) if terms else None,
        terms=agreed,
    )
    wished = at - timedelta(minutes=1)
    return Ledger(desk.state_dir).plan(draft, b"{}", at=wished, since=wished, **WHO)[0]


def wrote(desk, operation="create", provider="payt", *, differences=(), at=NOON, **wanted):
    """Write down a change that was done at `at`; return its id."""
    ledger = Ledger(desk.state_dir)
    intent = planned(desk, operation, provider, at=at, **wanted)
    intent = ledger.move(intent, SENDING, at=at - timedelta(seconds=2), **WHO)
    plan_id = wanted.get("plan_id") or PLANS[provider][0]
    intent = ledger.move(intent, DONE, at=at, plan_id=plan_id, status=201, **WHO)
    return ledger.read_back(intent, differences, at=at, **WHO).intent_id


def found(desk, folder=None):
    """The breaks of the check, as a report shows them."""
    return [row for row in desk.rows("breaks", folder) if row["code"] == "AGREEMENT_DIFF"]


def undated(rows):
    return [{name: value for name, value in row.items() if name not in {"state", "age_days"}} for row in rows]


@pytest.fixture
def quiet(desk):
    """The worked example; its only breaks are those of the check."""
    return desk(golden())


@pytest.fixture
def payt(quiet):
    """Payt alone, where a second provider would prove nothing more."""
    return quiet.without("totality", "payiq")


def test_plans_as_agreed_are_in_the_view_and_no_break(quiet):
    names = [wrote(quiet, provider=provider) for provider in PLANS]
    finished = quiet.run(DAY)
    assert (finished.exit_code, finished.state) == (0, "PUBLISHED")
    assert quiet.rows("breaks") == []
    shown = quiet.query(
        "SELECT intent_id, provider, tenant_id, operation, plan_id, state, reason, amount, currency, planned_at, sent_at,"
        " ended_at, answer_status, request_sha256, agreed_terms FROM v_writes WHERE provider = 'payt'"
    )
    terms = "2025-03-01 100.00; 2025-04-01 100.00; 2025-05-01 100.00; 2025-06-01 100.00"
    times = (NOON - timedelta(minutes=1), NOON - timedelta(seconds=2), NOON)
    [row] = shown
    assert row[:7] == (names[0], "payt", "1001", "create", PAYT_PLAN, "done", "")
    assert (str(row[7]), row[8], row[9:12]) == ("400.0000", "EUR", times)
    assert row[12:] == (201, "5" * 64, terms)
    assert quiet.query("SELECT count(*) FROM v_writes") == [(3,)]
    with connect(quiet.folder / "planrecon.duckdb", read_only=True, folders=[quiet.reports]) as con:
        assert con.sql("SELECT agreed_terms FROM v_writes WHERE provider = 'payt'").fetchall() == [(terms,)]
    answer = quiet.command("query", "select plan_id, state from v_writes order by all", "--format", "csv")
    assert answer.stdout.splitlines() == ["plan_id,state", *sorted(f"{plan[0]},done" for plan in PLANS.values())]
    assert "write_backs" not in json.loads((finished.folder / "summary.json").read_text())


def changed(number, due, minor):
    return tuple((due, minor) if place == number else term for place, term in enumerate(HUNDRED, 1))


def test_a_term_a_day_off_is_a_break_at_every_provider(quiet):
    names = {name: wrote(quiet, provider=name, terms=changed(2, date(2025, 4, 2), 10_000)) for name in PLANS}
    assert quiet.run(DAY).exit_code == 1
    assert sorted(row["provider"] for row in found(quiet)) == sorted(PLANS)
    for row in found(quiet):
        plan, tenant, currency = PLANS[row["provider"]]
        account = quiet.query(f"SELECT account_id FROM v_plans WHERE plan_id = '{plan}'")
        assert [(row["account_id"],)] == account
        assert (row["tenant_id"], row["plan_id"]) == (tenant, plan)
        assert (row["reason"], row["side"], row["kind"], row["severity"]) == ("TERMS", "provider", "real", "high")
        assert (row["expected"], row["actual"], row["difference_days"]) == ("2025-04-02", "2025-04-01", "-1")
        assert (row["difference"], row["currency"]) == ("", "")
        assert row["explanation"] == (
            f"Plan {plan} is not as agreed in intent {names[row['provider']]}: 400.00 {currency} in 4 terms were agreed, "
            f"the provider shows 400.00 {currency} in 4; first difference, term 2: 100.00 {currency} on 2025-04-02 "
            f"agreed, 100.00 {currency} on 2025-04-01 shown."
        )


def test_an_amount_off_is_a_break_of_that_amount_and_a_plan_that_never_came_one_of_its_own(payt):
    wrote(payt, terms=changed(4, DUES[3], 1_510_000), differences=["term 4: 15100.00 EUR agreed, 100.00 EUR shown"])
    name = wrote(payt, plan_id="2603747")
    payt.run(DAY)
    amount, missing = found(payt)
    assert (amount["reason"], amount["expected"], amount["actual"]) == ("TERMS", "15400.00", "400.00")
    assert (amount["difference"], amount["currency"], amount["severity"]) == ("-15000.00", "EUR", "high")
    assert (missing["plan_id"], missing["account_id"], missing["reason"]) == ("2603747", "", "MISSING")
    assert (missing["expected"], missing["actual"], missing["severity"]) == ("ACTIVE", "no plan", "high")
    assert name in missing["explanation"]
    told = payt.query(f"SELECT reason FROM v_writes WHERE intent_id <> '{name}'")
    assert told == [("term 4: 15100.00 EUR agreed, 100.00 EUR shown",)]


def test_a_plan_that_should_have_ended_and_is_still_active_is_a_break(quiet):
    wrote(quiet, "reject", terms=())
    wrote(quiet, "deactivate", "totality", terms=())
    quiet.run(DAY)
    told = [(row["plan_id"], row["reason"], row["expected"], row["actual"]) for row in found(quiet)]
    assert told == [
        (PAYT_PLAN, "STATUS", "REJECTED", "ACTIVE"),
        (TOTALITY_PLAN, "STATUS", "DEACTIVATED", "ACTIVE"),
    ]


def test_a_break_goes_away_once_the_provider_shows_what_was_agreed(payt):
    wrote(payt, "deactivate", terms=())
    payt.run(DAY)
    with payt.world.changing() as world:
        world.payt.payment_plans[0] |= {"active": False, "deactivated_at": "2025-06-07T19:00:00Z"}
        world.payt.payment_plans[0]["updated_at"] = "2025-06-07T19:00:00Z"
    payt.run(DAY)
    assert [row["state"] for row in found(payt)] == ["RESOLVED"]


def test_nothing_is_said_of_dates_before_the_change_nor_of_a_fetch_that_came_before_it(quiet):
    quiet.without("payiq").run(DAY)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    wrote(quiet, "reject", provider="totality", terms=(), at=tomorrow)
    wrote(quiet, "reject", terms=())
    assert [row["provider"] for row in found(quiet, quiet.report(DAY).folder)] == ["payt"]
    assert found(quiet, quiet.report(date(2025, 6, 6)).folder) == []


def test_the_same_report_again_has_the_same_bytes_whatever_was_begun_since(payt):
    wrote(payt, terms=changed(1, DUES[0], 9_000))
    first = payt.run(DAY)
    [[known_at]] = payt.query(f"SELECT known_at FROM v_runs WHERE run_id = '{first.run_id}'")
    again = payt.report(DAY)
    assert payt.tables(again.folder) == payt.tables(first.folder)
    assert undated(payt.rows("breaks", again.folder)) == undated(payt.rows("breaks", first.folder))
    later = datetime.now(UTC) + timedelta(minutes=2)
    planned(payt, "deactivate", at=later, terms=())
    wrote(payt, "deactivate", at=later + timedelta(minutes=2), terms=())
    report = payt.report(DAY, known_at=known_at)
    assert payt.tables(report.folder) == payt.tables(first.folder)
    for name in ("breaks.csv", "breaks.parquet"):
        assert (report.folder / name).read_bytes() == (again.folder / name).read_bytes()


def test_a_rebuilt_warehouse_shows_them_again(payt):
    wrote(payt, terms=changed(1, DUES[0], 9_000))
    payt.run(DAY)
    before, breaks = payt.query("SELECT * FROM v_writes"), undated(found(payt))
    (payt.folder / "planrecon.duckdb").unlink()
    payt.run(DAY)
    assert payt.query("SELECT * FROM v_writes") == before
    assert undated(found(payt)) == breaks


def test_what_is_not_finished_stands_in_summary_and_page(payt):
    payt.configure(reports={"formats": ["csv", "html"]})
    ledger = Ledger(payt.state_dir)
    for hour, state in enumerate((UNKNOWN, PARKED)):
        at = NOON + timedelta(hours=hour)
        intent = ledger.move(planned(payt, "reject", terms=(), at=at), SENDING, at=at, **WHO)
        intent = ledger.move(intent, UNKNOWN, at=at, reason="no answer came", **WHO)
        if state == PARKED:
            ledger.move(intent, PARKED, at=at, reason="two plans are as wanted", **WHO)
    refused = planned(payt, "approve", terms=())
    ledger.move(refused, REFUSED, at=NOON, reason="not wanted", **WHO)
    finished = payt.run(DAY)
    line = "2 write-backs are not finished: 1 parked, 1 unknown; see `planrecon plan list`"
    assert line in finished.text.splitlines()
    assert json.loads((finished.folder / "summary.json").read_text())["write_backs"] == [line]
    page = (finished.folder / "report.html").read_text()
    assert "Settle what was begun at the providers" in page
    assert "needs a person today" not in page
    assert sorted(payt.query("SELECT state, reason FROM v_writes")) == [
        ("parked", "two plans are as wanted"),
        ("refused", "not wanted"),
        ("unknown", "no answer came"),
    ]
    assert found(payt) == []


def test_a_plan_with_an_unfinished_change_is_not_held_against_an_earlier_one(payt):
    wrote(payt, terms=changed(1, DUES[0], 9_000))
    assert planned(payt, "deactivate", terms=(), at=NOON + timedelta(hours=1)).state == APPROVED
    payt.run(DAY)
    assert found(payt) == []


def test_a_run_that_fails_or_is_held_tells_readers_of_them_too(quiet, impatient):
    quiet.without("totality", "payiq").run(DAY)
    assert quiet.query("SELECT count(*) FROM v_writes") == [(0,)]
    wrote(quiet)
    url = quiet.sections["providers.payt"]["base_url"]
    quiet.configure(payt={"base_url": "http://127.0.0.1:9"})
    with pytest.raises(NothingRead):
        quiet.run(DAY)
    assert quiet.query("SELECT count(*) FROM v_writes") == [(1,)]
    wrote(quiet, "deactivate", terms=(), at=NOON + timedelta(hours=1))
    quiet.configure(payt={"base_url": url})
    with quiet.world.changing() as world:
        world.payt.payment_plans[0] |= {"updated_at": "2025-06-07T19:00:00Z"}
        world.payt.payment_plans[0]["payment_terms"][0]["total_amount"] = "a lot"
    assert quiet.run(DAY).state == "HELD"
    assert quiet.query("SELECT count(*) FROM v_writes") == [(2,)]
    assert quiet.query("SELECT state FROM v_runs ORDER BY run_id") == [("PUBLISHED",), ("FAILED",), ("HELD",)]


def test_a_damaged_log_costs_no_run_and_is_told(payt):
    wrote(payt, terms=changed(1, DUES[0], 9_000))
    payt.run(DAY)
    breaks = undated(found(payt))
    path = Ledger(payt.damaged("a line of the log of changes is edited").state_dir).path
    path.write_bytes(path.read_bytes().replace(b"anna", b"anne", 1))
    finished = payt.run(DAY)
    assert finished.state == "PUBLISHED"
    [told] = json.loads((finished.folder / "summary.json").read_text())["write_backs"]
    assert told.startswith("the log of write-backs cannot be read, they are shown as they were last known: ")
    assert "line 1 is not what was written" in told
    assert told in finished.text
    assert undated(found(payt)) == breaks
    assert payt.query("SELECT state FROM v_writes") == [("done",)]
    path.unlink()
    told = json.loads((payt.run(DAY).folder / "summary.json").read_text())["write_backs"]
    assert told == ["1 write-back known before is not in the log any more; restore the log from a backup"]


def test_a_plan_created_by_the_command_is_as_agreed_until_somebody_edits_it_at_the_provider(payt):
    with payt.world.changing() as world:
        world.payt.invoices[0]["active_payment_plan_id"] = None
    wish = {
        "administration_id": "1001",
        "terms": [{"amount": 60.00, "due_date": "2025-07-01"}, {"amount": 40.00, "due_date": "2025-08-01"}],
        "invoice_numbers": [payt.world.payt.invoices[0]["invoice_number"]],
    }
    (payt.folder / "plans.json").write_text(json.dumps(wish))
    answer = payt.command("plan", "create", "--provider", "payt", "--file", str(payt.folder / "plans.json"), "--yes")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    payt.run(DAY)
    [(plan_id, terms)] = payt.query("SELECT plan_id, agreed_terms FROM v_writes")
    assert terms == "2025-07-01 60.00; 2025-08-01 40.00"
    assert plan_id in {row["plan_id"] for row in payt.rows("plans")}
    assert found(payt) == []
    with payt.world.changing() as world:
        plan = world.payt.payment_plans[-1]
        plan["payment_terms"][1] |= {"total_amount": "45.00", "amount_due": "45.00"}
        plan["updated_at"] = "2025-06-07T20:00:00Z"
    payt.run(DAY)
    [row] = found(payt)
    assert (row["plan_id"], row["reason"], row["expected"], row["actual"]) == (plan_id, "TERMS", "100.00", "105.00")
    assert "term 2: 40.00 EUR on 2025-08-01 agreed, 45.00 EUR on 2025-08-01 shown" in row["explanation"]


def test_a_plan_that_the_network_made_twice_is_a_break_of_the_run_on_the_one_nothing_stands_behind(payt):
    with payt.world.changing() as world:
        world.payt.invoices[0]["active_payment_plan_id"] = None
    wish = {
        "administration_id": "1001",
        "terms": [{"amount": 60.00, "due_date": "2025-07-01"}, {"amount": 40.00, "due_date": "2025-08-01"}],
        "invoice_numbers": [payt.world.payt.invoices[0]["invoice_number"]],
    }
    (payt.folder / "plans.json").write_text(json.dumps(wish))
    payt.sandbox.faults.add(faults.executed_twice(), match="^POST /v1/payment_plans", provider="payt")
    answer = payt.command("plan", "create", "--provider", "payt", "--file", str(payt.folder / "plans.json"), "--yes")
    assert answer.returncode == 4, answer.stdout + answer.stderr
    assert payt.run(DAY).exit_code == 1
    first, second = (str(plan["id"]) for plan in payt.world.payt.payment_plans[-2:])
    [row] = [row for row in payt.rows("breaks") if row["reason"] == "EQUAL_PLANS"]
    assert (row["code"], row["plan_id"], row["severity"]) == ("POLICY_VIOLATION", first, "high")
    assert f"the same 2 terms as plan {second}" in row["explanation"]
