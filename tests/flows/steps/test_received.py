"""Rows as they come from the field, from the provider's answer to the reports: one bad one costs itself and nothing else."""

import contextlib
import json
import logging
from dataclasses import replace
from datetime import UTC, date, datetime

import duckdb
import pytest
from storm import faults

from flows.commands.cli import execute
from flows.errors import NothingRead
from flows.steps import loading
from sandbox.world import Verbatim
from sandbox.worlds import generate_payt as payt
from sandbox.worlds import generate_totality as totality
from sandbox.worlds.golden import PAYT_PLAN, TOTALITY_LOAN, TOTALITY_PLAN
from sandbox.worlds.scenarios import GOLDEN_AS_OF, golden
from transforms.intake.admit import admit_parts

CREATED, DUE = date(2025, 2, 14), date(2025, 5, 1)


def of(rows, **wanted):
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def with_office(world, tenant, plan_id, terms, **told):
    """A second administration with one plan on one invoice; `terms` are (amount, due by the provider, paid on)."""
    office = payt.Administration(tenant)
    rows = [office.term(f"{plan_id}{at}", *term[:2], DUE, term[2]) for at, term in enumerate(terms)]
    world.payt.administrations.append(office.row(f"Office {tenant}") | told)
    world.payt.payment_plans.append(office.plan(plan_id, "1", rows, CREATED))
    world.payt.debtors.append(office.debtor("1", CREATED))
    return rows


def with_custom_plan(world, amounts):
    """A Totality plan of these amounts, on the first of March on."""
    plan_id, loan_id = TOTALITY_PLAN.replace("1a01", "1a77"), TOTALITY_LOAN.replace("c001", "c077")
    days = [date(2025, 3 + at, 1) for at in range(len(amounts))]
    schedule = [{"date": day.isoformat(), "amount": amount} for day, amount in zip(days, amounts, strict=True)]
    row = totality.plan(
        plan_id, loan_id, days[0], CREATED,
        paymentArrangementType="Custom Payment Schedule", schedule=schedule, totalPlanAmount=sum(amounts),
    )  # fmt: skip
    world.totality.payment_plans.append(row)
    world.totality.loans.append(totality.loan(loan_id, "c1f0a7ce-3f0b-4f2d-9d0e-2f6f5d2c0077", sum(amounts), CREATED))
    for at, (day, amount) in enumerate(zip(days, amounts, strict=True)):
        world.totality.scheduled_payments.append(
            totality.scheduled(f"b7c1d2e3-0000-4000-8000-00000000077{at}", row, amount, day)
        )
    return plan_id


# amounts below zero


@pytest.fixture(scope="module")
def odd_amounts(open_desk, tmp_path_factory):
    """One world: a term of less than nothing at two providers, a balance below zero, one above its term."""
    world = golden()
    with_office(world, "1002", "31", [(5000, 5000, None), (-5000, -5000, None)])
    with_office(world, "1003", "32", [(10000, -100, DUE), (10000, 10250, None)])
    custom = with_custom_plan(world, [40000, 33000, 33000, -6000])
    with open_desk(tmp_path_factory.mktemp("odd"), world) as desk:
        desk.configure(gates={"quarantine_share": 1})
        desk.run(GOLDEN_AS_OF)
        yield desk, custom


def test_a_term_of_a_negative_amount_keeps_its_plan_and_the_other_terms_out_at_every_provider(odd_amounts):
    desk, custom = odd_amounts
    plans = {row["plan_id"] for row in desk.rows("plans")}
    assert {"31", custom}.isdisjoint(plans)
    assert {"31", custom}.isdisjoint({row["plan_id"] for row in desk.rows("terms")})
    found = desk.query("SELECT provider, entity, code, sum(rows) FROM v_quarantine GROUP BY ALL ORDER BY ALL")
    assert [tuple(row) for row in found] == [
        ("payt", "plans", "TERM_QUARANTINED", 1),
        ("payt", "terms", "NEGATIVE", 1),
        ("payt", "terms", "PLAN_QUARANTINED", 1),
        ("totality", "plans", "TERM_QUARANTINED", 1),
        ("totality", "terms", "NEGATIVE", 1),
        ("totality", "terms", "PLAN_QUARANTINED", 3),
    ]
    assert all(not row["amount_due"].startswith("-") for row in desk.rows("plans"))


def test_a_balance_below_zero_counts_as_nothing_due_and_one_above_the_term_as_the_term(odd_amounts):
    desk, _ = odd_amounts
    shown = [
        (row["outstanding"], row["received"], row["provider_outstanding"])
        for row in of(desk.rows("terms"), plan_id="32")
    ]
    assert shown == [("0.00", "100.00", "-1.00"), ("100.00", "0.00", "102.50")]
    [plan] = of(desk.rows("plans"), plan_id="32")
    assert (plan["outstanding"], plan["overdue"], plan["received"]) == ("100.00", "100.00", "100.00")
    told = {
        row["reason"]: (row["severity"], row["expected"], row["actual"].lstrip("'"))
        for row in of(desk.rows("breaks"), plan_id="32")
    }
    assert told["DUE_BELOW_ZERO"] == ("low", "0.00", "-1.00")
    assert told["DUE_ABOVE_AMOUNT"][1:] == ("100.00", "102.50")


def test_age_lifts_a_break_of_low_severity_by_one_step_once_and_never_to_critical(desk):
    world = golden()
    with_office(world, "1003", "32", [(10000, -100, DUE), (10000, 10000, None)])
    desk = desk(world).without("totality", "payiq")
    seen = {desk.run(GOLDEN_AS_OF).folder: "low"}  # a Saturday, and five business days follow until the next Friday
    for day, severity in [("2025-06-13", "low"), ("2025-06-20", "medium"), ("2026-03-02", "medium")]:
        seen[desk.report(date.fromisoformat(day)).folder] = severity
    for folder, severity in seen.items():
        [found] = [row for row in desk.rows("breaks", folder) if row["reason"] == "DUE_BELOW_ZERO"]
        assert found["severity"] == severity, folder


@pytest.mark.slow
def test_a_plan_that_changes_alone_stays_out_with_the_term_that_kept_it_out_until_both_can_be_read(desk):
    world = golden()
    world.clock = None
    custom = with_custom_plan(world, [40000, -6000, 33000])
    desk = desk(world).without("payt", "payiq").configure(gates={"quarantine_share": 1, "change_share": 9})
    desk.run(GOLDEN_AS_OF)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    [plan] = of(world.totality.payment_plans, uuid=custom)
    [_, wrong, _] = of(world.totality.scheduled_payments, paymentPlanUuid=custom)
    with world.changing():
        plan |= {"contactMethod": "Email", "updatedAt": now}
    desk.run(GOLDEN_AS_OF)
    assert not of(desk.rows("plans"), plan_id=custom)
    with world.changing():
        wrong |= {"amount": 6000, "updatedAt": now}
    desk.run(GOLDEN_AS_OF)
    assert len(of(desk.rows("plans"), plan_id=custom)) == 1
    assert [row["amount"] for row in of(desk.rows("terms"), plan_id=custom)] == ["400.00", "60.00", "330.00"]
    with world.changing():
        wrong |= {"amount": -6000, "updatedAt": now}
    desk.run(GOLDEN_AS_OF)
    with world.changing():
        plan |= {"isActive": False, "updatedAt": now}
    desk.run(GOLDEN_AS_OF)
    [shown] = of(desk.rows("plans"), plan_id=custom)
    assert shown["status"] == "ACTIVE", "the plan as it was, for its terms are as they were"
    [last] = desk.query("SELECT since FROM v_fetches WHERE sweep = 'loans' ORDER BY load_no DESC LIMIT 1")
    assert last[0] is not None, "what was not kept out is asked for by its changes"


# fields that are left out


@pytest.fixture(scope="module")
def left_out(open_desk, tmp_path_factory):
    """A world published once, with two plans, terms and payments or more at every provider; each test mends it again."""
    world = golden()
    office = payt.Administration("1001")
    for plan_id in ("31", "32"):
        term = office.term(f"{plan_id}0", 5000, 5000, DUE)
        world.payt.payment_plans.append(office.plan(plan_id, "1", [term], CREATED))
    with_custom_plan(world, [40000, 33000])
    with open_desk(tmp_path_factory.mktemp("out"), world) as desk:
        desk.configure(run={"full_sweep_days": 1}, gates={"change_share": 9})
        desk.run(GOLDEN_AS_OF)
        yield desk


@contextlib.contextmanager
def lacking(desk, rows, name):
    """Let these rows come without the field `name`, changed just now, while the block runs."""
    before = [dict(row) for row in rows]
    with desk.world.changing():
        for row in rows:
            row.pop(name)
            row["updated_at" if "updated_at" in row else "updatedAt"] = desk.world.clock
    yield
    with desk.world.changing():
        for row, was in zip(rows, before, strict=True):
            row.clear()
            row.update(was)


def test_a_plan_that_comes_without_its_terms_stays_out_and_keeps_the_old_ones(left_out):
    desk = left_out
    terms = desk.rows("terms")
    rows = of(desk.world.payt.payment_plans, id="31")
    desk.configure(gates={"quarantine_share": 1})
    with lacking(desk, rows, "payment_terms"):
        finished = desk.run(GOLDEN_AS_OF)
    assert finished.state == "PUBLISHED"
    assert desk.rows("terms") == terms
    query = "SELECT code, column_name FROM v_quarantine WHERE row_key = '31' AND entity = 'plans'"
    assert {tuple(row) for row in desk.query(query)} == {("MISSING_FIELD", "payment_terms")}


PAYT_PLANS, TOTALITY_PLANS = (lambda world: world.payt.payment_plans), (lambda world: world.totality.payment_plans)
LACKING = [
    {
        "payt": (PAYT_PLANS, "payment_terms"),
        "totality": (lambda world: world.totality.scheduled_payments, "paymentPlanUuid"),
    },
    {"payt": (PAYT_PLANS, "active"), "totality": (TOTALITY_PLANS, "paymentFrequency")},
    {
        "payt": (PAYT_PLANS, "approved_at"),
        "payiq": (lambda world: [one for paid in world.payiq.payments.values() for one in paid], "InvoicePayments"),
    },
    {"payt": (lambda world: world.payt.payments, "total_book_amount")},
]
"""Per run: at which providers which field is left out of which rows."""


@pytest.mark.fault(22, 32)
@pytest.mark.parametrize("left", LACKING, ids=lambda left: " ".join(name for _, name in left.values()))
def test_a_field_that_every_row_carried_and_none_carries_now_is_a_broken_contract(left_out, left):
    desk = left_out
    before = desk.tables(names=("plans", "terms"))
    with contextlib.ExitStack() as broken:
        for rows, name in left.values():
            broken.enter_context(lacking(desk, rows(desk.world), name))
        finished = desk.run(GOLDEN_AS_OF)
    assert finished.state == "PUBLISHED"
    assert finished.first_line.count("not read (contract)") == len(left)
    assert desk.tables(names=("plans", "terms")) == before
    sources = json.loads((desk.latest / "summary.json").read_text())["sources"]
    assert {row["provider"]: row.get("error_code") for row in sources if row.get("error_code")} == dict.fromkeys(
        left, "contract"
    )


def losing_a_plan(*given, **named):
    admitted = admit_parts(*given, **named)
    return replace(admitted, accepted={**admitted.accepted, "plans": admitted.accepted["plans"].head(-1)})


@pytest.mark.parametrize("code", ["contract", "not_permitted", "provider_protocol"])
def test_where_all_that_was_asked_failed_alike_the_run_ends_with_that_code(left_out, code, capsys):
    desk, every = left_out, {"times": faults.FOREVER}
    with contextlib.ExitStack() as broken:
        if code == "contract":
            broken.enter_context(lacking(desk, desk.world.payt.payment_plans, "payment_terms"))
        else:
            broken.callback(desk.sandbox.faults.clear)
            desk.sandbox.faults.add(faults.status(403 if code == "not_permitted" else 206), match="/v1/", **every)
        run = ["run", "--config", str(desk.file), "--as-of", str(GOLDEN_AS_OF), "--provider", "payt"]
        assert execute(run) == 2
        assert capsys.readouterr().err.splitlines()[-1].startswith(f"{code}: no provider could be read. ")


def test_a_run_that_lost_a_row_on_its_way_is_held(left_out, monkeypatch, capsys):
    desk, before = left_out, left_out.latest
    monkeypatch.setattr("transforms.intake.held.admit_parts", losing_a_plan)
    with desk.world.changing():
        for row in desk.world.payt.payment_plans:
            row["updated_at"] = desk.world.clock
    assert execute(["run", "--config", str(desk.file), "--as-of", str(GOLDEN_AS_OF), "--provider", "payt"]) == 3
    assert capsys.readouterr().out.splitlines()[0].startswith("HELD")
    assert desk.latest == before


def test_an_administration_list_that_shows_none_is_no_empty_portfolio(left_out, capsys):
    """The grant of the only administration was taken away: nothing of it is read, and it is said so."""
    desk = left_out
    with desk.world.changing():
        listed, desk.world.payt.administrations = desk.world.payt.administrations, []
    run = ["run", "--config", str(desk.file), "--as-of", str(GOLDEN_AS_OF), "--fail-on", "never"]
    try:
        assert execute(run) == 0
        assert "payt 1001 not read (configuration)" in capsys.readouterr().out.splitlines()[0]
        assert execute([*run, "--provider", "payt"]) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.startswith("configuration: no provider could be read. providers.payt: ")
        assert "see no administration" in said
    finally:
        with desk.world.changing():
            desk.world.payt.administrations = listed


EMPTY = {
    "payt": {
        "payment_plans": ("proposed_at", "rejected_at", "deactivated_at"),
        "payments": ("cost_type", "transaction_type", "payment_method"),
        "invoices": ("active_credit_case_id", "paused_at"),
        "debtors": ("paused_at",),
    },
    "totality": {
        "payment_plans": ("scheduleType", "secondPaymentDay", "weekdayOfFirstPayment"),
        "scheduled_payments": ("paymentUuid",),
        "payments": ("settledOn", "returnedAt", "isPromise", "fees"),
    },
}


def test_fields_that_the_providers_leave_out_while_they_are_empty_stop_no_tenant_that_showed_them_once(desk):
    world = golden()
    office = payt.Administration("1001")
    for plan_id in ("31", "32"):
        term = office.term(f"{plan_id}0", 5000, 5000, DUE)
        world.payt.payment_plans.append(office.plan(plan_id, "1", [term], CREATED))
    with_custom_plan(world, [40000, 33000])
    for provider, tables in EMPTY.items():
        for table, names in tables.items():
            rows = getattr(getattr(world, provider), table)
            for row in rows:
                row |= {name: row.get(name) for name in names}
    desk = desk(world).without("payiq").configure(gates={"change_share": 9})
    desk.run(GOLDEN_AS_OF)
    with world.changing():
        for provider, tables in EMPTY.items():
            for table, names in tables.items():
                for row in getattr(getattr(world, provider), table):
                    for name in names:
                        row.pop(name)
                    row["updated_at" if provider == "payt" else "updatedAt"] = world.clock
    finished = desk.run(GOLDEN_AS_OF)
    assert finished.state == "PUBLISHED"
    assert "not read" not in finished.first_line


# words of a tenant


def test_an_administration_in_no_zone_of_the_zone_database_takes_the_configured_one_and_the_log_says_so(desk, caplog):
    world = golden()
    with_office(world, "1002", "31", [(5000, 5000, None)], timezone="Amsterdam")
    # 23:30 UTC on the 13th is the 14th in Amsterdam
    world.payt.payment_plans[-1]["created_at"] = "2025-02-13T23:30:00Z"
    desk = desk(world).without("payiq")
    with caplog.at_level(logging.WARNING, "planrecon"):
        finished = desk.run(GOLDEN_AS_OF)
    assert finished.state == "PUBLISHED"
    [plan] = of(desk.rows("plans"), tenant_id="1002")
    assert plan["created_on"] == "2025-02-14"
    assert len(of(desk.rows("plans"), provider="totality")) == 1
    [told] = [record.getMessage() for record in caplog.records if "Amsterdam" in record.getMessage()]
    assert told.startswith("payt/1002: the provider gives 'Amsterdam' as timezone")
    desk.configure(payt={"timezone": "America/New_York"})
    again = desk.folder / "planrecon.duckdb"
    again.unlink()
    desk.run(GOLDEN_AS_OF)
    assert of(desk.rows("plans"), tenant_id="1002")[0]["created_on"] == "2025-02-13"


@pytest.mark.fault(28)
def test_an_administration_in_no_currency_takes_the_configured_one_else_its_rows_stay_out_and_no_others(desk):
    world = golden()
    unknown = {"1002": "EURO", "1004": "€"}
    with_office(world, "1002", "31", [(5000, 5000, None)], currency_code=unknown["1002"])
    with_office(world, "1003", "32", [(5000, 5000, None)], currency_code=" eur ")
    with_office(world, "1004", "33", [(5000, 5000, None)], currency_code=unknown["1004"])
    desk = desk(world).without("totality", "payiq")
    desk.configure(gates={"quarantine_share": 1, "change_share": 9}).run(GOLDEN_AS_OF)
    assert {(row["tenant_id"], row["currency"]) for row in desk.rows("plans")} == {("1001", "EUR"), ("1003", "EUR")}
    out = desk.query("SELECT DISTINCT tenant_id FROM v_quarantine WHERE code = 'UNKNOWN_CURRENCY' ORDER BY ALL")
    assert [row[0] for row in out] == list(unknown)
    desk.configure(payt={"currency": "EUR"})
    (desk.folder / "planrecon.duckdb").unlink()
    desk.run(GOLDEN_AS_OF)
    assert {of(desk.rows("plans"), tenant_id=tenant)[0]["currency"] for tenant in unknown} == {"EUR"}


# a snapshot that cannot be loaded


@pytest.fixture
def breaks_loads_of(monkeypatch):
    """Let the load of one tenant fail inside the database, as a value that it cannot cast does."""

    def broken(*tenants):
        staging = loading.staging

        def failing(con, frames, options, **named):
            if options.tenant_id in tenants and any(frames.values()):
                con.sql("SELECT CAST('a name' AS INTEGER)").fetchall()
            return staging(con, frames, options, **named)

        monkeypatch.setattr(loading, "staging", failing)

    return broken


@pytest.mark.slow
def test_a_snapshot_that_cannot_be_loaded_is_named_and_set_aside_and_costs_no_other_tenant(
    desk, breaks_loads_of, monkeypatch, capsys
):
    world = golden()
    with_office(world, "1002", "31", [(5000, 5000, None)])
    desk = desk(world).without("totality", "payiq")
    with monkeypatch.context():
        breaks_loads_of("1002")
        finished = desk.run(GOLDEN_AS_OF)
        assert (finished.state, finished.exit_code) == ("PUBLISHED", 0)
        assert {row["tenant_id"] for row in of(desk.rows("plans"), provider="payt")} == {"1001"}
        [aside] = sorted((desk.state_dir / "aside").glob("*.json"))
        told = json.loads(aside.read_text(encoding="utf-8"))
        assert (told["tenant_id"], told["code"]) == ("1002", "internal")
        assert "ConversionException" in told["reason"]
        assert "a name" not in told["reason"]
        assert "payt 1002 not read (internal)" in finished.first_line
        assert execute(["doctor", "--offline", "--config", str(desk.file)]) == 2
        assert f"fix  snapshots: 1 set aside, first {aside.stem}" in capsys.readouterr().out
        # the next run does not try it again, and its own fetch of the tenant is set aside beside it
        desk.run(GOLDEN_AS_OF)
        assert len(list((desk.state_dir / "aside").glob("*.json"))) == 2
    monkeypatch.undo()
    desk.configure(gates={"change_share": 1})
    assert "not read" not in desk.run(GOLDEN_AS_OF).first_line
    assert {row["tenant_id"] for row in of(desk.rows("plans"), provider="payt")} == {"1001", "1002"}
    assert not list((desk.state_dir / "aside").glob("*.json"))
    assert execute(["doctor", "--offline", "--config", str(desk.file)]) == 0
    loads = desk.query("SELECT count(DISTINCT load_no) FROM v_fetches WHERE tenant_id = '1002'")
    assert [tuple(row) for row in loads] == [(1,)]


def test_a_run_that_can_load_nothing_ends_with_a_sentence_and_what_was_taken_aside_by_hand_is_tried_again(
    desk, breaks_loads_of, monkeypatch
):
    desk = desk(golden()).without("payt", "payiq")
    breaks_loads_of("127.0.0.1")
    with pytest.raises(NothingRead, match=r"totality/127.0.0.1: snapshot .* cannot be loaded"):
        desk.run(GOLDEN_AS_OF)
    [aside] = (desk.state_dir / "aside").glob("*.json")
    monkeypatch.undo()
    aside.unlink()
    asked = len(desk.sandbox.requests["totality"])
    desk.sandbox.faults.add(faults.status(403), provider="totality", times=faults.FOREVER)
    with pytest.raises(NothingRead):
        desk.run(GOLDEN_AS_OF)
    assert len(desk.sandbox.requests["totality"]) > asked
    with duckdb.connect(str(desk.folder / "planrecon.duckdb"), read_only=True) as con:
        assert con.sql("SELECT snapshot_id FROM meta.loads").fetchall() == [(aside.stem,)]


def test_a_load_that_can_no_longer_be_made_again_leaves_its_number_and_the_rebuild_goes_on(desk, breaks_loads_of):
    desk = desk(golden()).damaged("a load stands without its rows")
    desk.run(GOLDEN_AS_OF)
    (desk.folder / "planrecon.duckdb").unlink()
    breaks_loads_of("1001")
    finished = desk.report(GOLDEN_AS_OF)
    assert finished.state == "HELD", "a provider none of whose rows are there is no portfolio"
    assert {row["provider"] for row in desk.rows("plans", finished.folder)} == {"totality", "payiq"}
    query = "SELECT DISTINCT complete, reason FROM v_fetches WHERE provider = 'payt'"
    rows = desk.query(query, finished.folder)
    assert [row[0] for row in rows] == [False]
    assert "cannot be loaded" in rows[0][1]


# half a character


def test_half_an_emoji_in_a_field_that_is_read_or_not_costs_no_page_and_no_tenant(desk):
    world = golden()
    office = payt.Administration("1001")
    for plan_id, debtor, reason in (
        ("31", "1", Verbatim(r'"thank you \ud83d"')),
        ("32", Verbatim(r'"2\ud83d"'), None),
    ):
        term = office.term(f"{plan_id}0", 5000, 5000, DUE)
        world.payt.payment_plans.append(office.plan(plan_id, debtor, [term], CREATED, reason=reason))
    world.totality.payments[0]["description"] = Verbatim(r'"\ude00"')
    [paid] = world.payiq.payments.values()
    paid[0]["CustomerName"] = Verbatim(r'"\ud83d"')
    desk = desk(world)
    finished = desk.configure(gates={"quarantine_share": 1}).run(GOLDEN_AS_OF)
    assert finished.state == "PUBLISHED"
    assert "not read" not in finished.first_line
    assert {row["plan_id"] for row in of(desk.rows("plans"), provider="payt")} == {PAYT_PLAN, "31"}
    assert {row["received"] for row in desk.rows("plans") if row["provider"] != "payt"} == {"300.00"}
    found = desk.query("SELECT DISTINCT provider, code, row_key FROM v_quarantine WHERE entity = 'plans'")
    assert [tuple(row) for row in found] == [("payt", "MALFORMED_JSON", "32")]


# a plan in two tenants


def test_a_plan_that_moved_to_another_administration_is_a_break_from_the_first_run_on(desk):
    world = golden()
    with_office(world, "1002", "31", [(5000, 5000, None)])
    desk = desk(world).without("totality", "payiq")
    desk.configure(gates={"change_share": 9}).run(GOLDEN_AS_OF)
    assert not of(desk.rows("breaks"), reason="PLAN_IN_TWO_TENANTS")
    [moved] = of(world.payt.payment_plans, id="31")
    with world.changing():
        moved |= {"administration_id": "1001", "updated_at": world.clock}
    desk.run(GOLDEN_AS_OF)
    assert {row["tenant_id"] for row in of(desk.rows("plans"), plan_id="31")} == {"1001", "1002"}
    [told] = of(desk.rows("breaks"), reason="PLAN_IN_TWO_TENANTS")
    assert (told["plan_id"], told["tenant_id"], told["severity"], told["state"]) == ("31", "1002", "high", "NEW")
