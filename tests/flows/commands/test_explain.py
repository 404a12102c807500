"""What `planrecon explain` says can be calculated again from its own words, and is what the reports say."""

import copy
import json
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from oracles.explained import figures

from flows.commands.life.breaks import explained_break
from flows.commands.life.explain import explain
from flows.commands.life.plans import Wanted, explanation_of
from flows.configuration import load
from flows.errors import UsageError
from flows.steps.compute import compute_part
from flows.steps.inputs import read_inputs
from reports.explanations.breaks import as_json as breaks_json
from reports.explanations.plan import as_json
from sandbox.worlds import scenarios
from sandbox.worlds.golden import PAYIQ_PLAN, TOTALITY_PLAN, golden
from sql.core import images
from sql.runs import known_load
from sql.warehouse import Warehouse

AS_OF = date(2026, 6, 30)
FACTS = {
    "as_of",
    "provider",
    "tenant_id",
    "plan_id",
    "account_id",
    "customer_id",
    "currency",
    "flags",
    "work_lists",
    "last_receipt_date",
    "last_due_date",
    "own_customer",
    "basis",
    "is_in_force",
    "stated_total",
    "created_on",
    "updated_on",
    "missing_input",
    "replaced_by_plan_id",
    "bucket_no",
    "reference",
}
"""Columns of the plans report that are told by the provider or are no figure: they stand among the plan's facts."""


def opened(desk):
    return Warehouse.open(desk.folder / "planrecon.duckdb", state_dir=desk.state_dir, read_only=True)


def told_of(desk, as_of=AS_OF):
    """The printed explanation of every plan that exists on the day, as the desk is configured now."""
    settings = load(desk.file)
    with opened(desk) as warehouse:
        con = warehouse.con
        inputs = read_inputs(con, known_load(con), as_of=as_of, settings=settings)
        numbers = inputs.plans["plan_no"]
        terms = images.terms(con, inputs.known, numbers)
        part = compute_part(inputs, numbers, terms)
        for plan_no in numbers:
            told = explanation_of(con, inputs, part, plan_no, terms=terms, settings=settings)
            yield json.loads(as_json(told))


def shown(value):
    """A value of JSON as a CSV cell has it."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def amounts(value):
    return None if value is None else Decimal(value)


def wrong_in(told):
    """Every figure of an explanation that its inputs do not give, and every term whose received money they do not give."""
    found, received = figures(told)
    printed = {each["name"]: each["value"] for each in told["figures"]}
    unknown = set(printed) - set(found)
    wrong = [f"nothing gives {name}" for name in sorted(unknown)]
    for name, value in found.items():
        shown = printed.get(name)
        same = (
            amounts(shown) == value
            if isinstance(value, Decimal)
            else shown == (None if value is None else str(value) if isinstance(value, date) else value)
        )
        wrong += (
            [] if same else [f"{told['provider']} {told['plan_id']} {name}: printed {shown}, its inputs give {value}"]
        )
    for each in told["figures"]:
        parts = [Decimal(part) for part in re.findall(r"(-?[\d.]+) \((?:term|payment) ", each["working"])]
        if parts and each["name"] != "unapplied" and sum(parts) != Decimal(each["value"]):
            wrong.append(f"{told['plan_id']} {each['name']}: the sum that is written out is another")
    for term, paid in zip(told["terms"], received, strict=True):
        wrong += (
            []
            if Decimal(term["received"]) == paid
            else [f"{told['plan_id']} {term['name']}: printed {term['received']}, its inputs give {paid}"]
        )
    return wrong + wrong_shares(told)


def wrong_shares(told):
    """Terms and payments whose shares do not add up to what they received and gave."""
    if told["plan"]["basis"] != "PAYMENTS":
        return ["shares without payments"] if told["allocations"] else []
    wrong = []
    for side, column, rows in (("term", "received", told["terms"]), ("payment", "allocated", told["payments"])):
        for row in rows:
            given = sum(Decimal(each["amount"]) for each in told["allocations"] if each[side] == row["name"])
            wrong += (
                []
                if given == Decimal(row[column] or 0)
                else [f"{told['plan_id']} {row['name']}: {given}, not {row[column]}"]
            )
    return wrong


SETTINGS = {
    "as it comes": {},
    "grace and a tolerance that passes over": {
        "run": {"grace_days": 5, "tolerance": "MAX:5.00,10", "residual": "SKIP", "dpd_origin": "FIRST_ENTERED"},
        "outcome": {"consecutive_missed": 1},
    },
    "business days after grace, in months": {
        "run": {"grace_days": 3, "grace_mode": "GATE", "day_basis": "BUSINESS", "tolerance": "CENT", "bucket_set": "MONTHS"},
        "outcome": {"consecutive_missed": 0, "total_late": 2},
    },
    "first material": {
        "run": {
            "dpd_origin": "FIRST_MATERIAL", "material_amount": 60, "material_percent": 20, "grace_mode": "SHIFT",
            "grace_days": 2, "tolerance": "FFIEC90",
        },
        "outcome": {"consecutive_missed": 0, "overdue_share": 0.3},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def world(open_desk, tmp_path_factory):
    with open_desk(tmp_path_factory.mktemp("explained"), scenarios.generate(seed=31, plans=30, as_of=AS_OF)) as desk:
        desk.run(AS_OF)
        yield desk


@pytest.fixture(scope="module")
def plain(world):
    """The explanations under the settings as they come."""
    return list(told_of(world))


@pytest.mark.parametrize("name", SETTINGS)
def test_every_figure_follows_from_the_inputs_that_are_printed_with_it(world, plain, name):
    world.configure(**SETTINGS[name])
    try:
        explanations = told_of(world) if SETTINGS[name] else plain
        assert [line for told in explanations for line in wrong_in(told)] == []
    finally:
        world.configure(**{section: dict.fromkeys(keys) for section, keys in SETTINGS[name].items()})


def test_every_figure_is_the_one_of_the_report_and_names_rows_that_are_printed(world, plain):
    rows = {(row["provider"], row["plan_id"]): row for row in world.rows("plans")}
    seen = set()
    for told in plain:
        row = rows[told["provider"], told["plan_id"]]
        printed = {each["name"]: each["value"] for each in told["figures"]}
        in_both = sorted(set(printed) & set(row))
        assert {name: shown(printed[name]) for name in in_both} == {name: row[name] for name in in_both}
        assert set(row) - set(printed) <= FACTS | {"provider_outstanding"}
        inputs = [told["plan"], *told["terms"], *told["payments"], *told["pauses"]]
        names = [each["name"] for each in inputs]
        assert len(names) == len(set(names))
        settings = {each["name"] for each in told["settings"]}
        assumptions = {each["name"] for each in told["assumptions"]}
        for figure in told["figures"]:
            assert set(figure["inputs"]) <= set(names)
            assert set(figure["settings"]) <= settings
            assert set(figure["assumptions"]) <= assumptions
        assert all(each["source"]["snapshot_id"] for each in inputs[: 1 + len(told["terms"]) + len(told["payments"])])
        seen.add(told["provider"])
    assert len(seen) == 3
    assert len(rows) > 25


def test_the_evaluator_sees_a_figure_that_is_wrong(plain):
    told = copy.deepcopy(next(each for each in plain if Decimal(each["terms"][0]["amount"]) > 1))
    told["terms"][0]["amount"] = str(Decimal(told["terms"][0]["amount"]) - 1)
    assert any(" amount: printed" in line for line in wrong_in(told))


# as of: amount due, overdue, past grace (5 days), remaining, days past due, MBA, OTS, and what is said of overdue money
WORKED = {
    "2025-04-05": ("40.00", "40.00", "0.00", "240.00", 4, 0, 0, "40.00 (term 2) = 40.00 USD."),
    "2025-05-01": ("140.00", "40.00", "40.00", "240.00", 30, 1, 1, "40.00 (term 2) = 40.00 USD."),
    "2025-05-02": ("140.00", "140.00", "40.00", "240.00", 31, 1, 1, "40.00 (term 2) + 100.00 (term 3) = 140.00 USD."),
    "2025-05-10": ("0.00", "0.00", "0.00", "100.00", 0, 0, 0, "Nothing to add: 0.00 USD."),
}
GAVE = {
    "2025-04-05": [("100.00", "term 1"), ("60.00", "term 2")],
    "2025-05-01": [("100.00", "term 1"), ("60.00", "term 2")],
    "2025-05-02": [("100.00", "term 1"), ("60.00", "term 2")],
    "2025-05-10": [("100.00", "term 1"), ("60.00", "term 2"), ("40.00", "term 2"), ("100.00", "term 3")],
}


@pytest.fixture(scope="module")
def worked(open_desk, tmp_path_factory):
    with open_desk(tmp_path_factory.mktemp("worked"), golden()) as desk:
        desk.configure(run={"grace_days": 5})
        desk.run(date(2025, 6, 7))
        yield desk


@pytest.mark.parametrize("day", WORKED)
def test_the_worked_example_is_explained_figure_by_figure(worked, capsys, day):
    wanted = Wanted(TOTALITY_PLAN, as_of=date.fromisoformat(day))
    assert explain(worked.file, wanted, style="json") == 0
    told = json.loads(capsys.readouterr().out)
    printed = {each["name"]: each for each in told["figures"]}
    names = ("amount_due", "overdue", "overdue_past_grace", "outstanding", "days_past_due", "mba_months", "ots_months")
    *values, working = WORKED[day]
    assert [printed[name]["value"] for name in names] == values
    assert printed["overdue"]["working"] == working
    by_payment = [(each["amount"], each["term"]) for each in told["allocations"]]
    assert sorted(by_payment, key=lambda each: each[1]) == sorted(GAVE[day], key=lambda each: each[1])
    assert wrong_in(told) == []


def test_the_text_says_the_same_in_sentences_that_can_be_read_aloud(worked, capsys):
    assert explain(worked.file, Wanted(str(PAYIQ_PLAN), as_of=date(2025, 5, 2)), style="text") == 0
    text = capsys.readouterr().out
    assert "Plan 7001 at payiq (payiq), at the end of 2 May 2025." in text
    assert "  overdue: 140.00 USD\n    What is open on the terms due before the as-of date.\n" in text
    assert "    Term 2, due 1 April 2025, still has 40.00 USD open.\n" in text
    assert "    Counted in calendar days from 1 April 2025 to 2 May 2025: 31 days.\n" in text
    assert "gave 60.00 to term 2: oldest due first.\n" in text
    assert "payment 71010: 60.00 USD on 5 April 2025, received; terms took 60.00; counts as settled.\n" in text
    assert "payiq list payments page" in text


def test_an_unknown_plan_is_refused_with_the_nearest_ids(worked):
    with pytest.raises(UsageError, match=f"the nearest are {PAYIQ_PLAN}$"):
        explain(worked.file, Wanted("7002", as_of=date(2025, 5, 2)), style="text")
    with pytest.raises(UsageError, match="no plan at payt is called"):
        explain(worked.file, Wanted(TOTALITY_PLAN, provider="payt", as_of=date(2025, 5, 2)), style="text")


def test_an_id_of_several_plans_is_refused_with_the_candidates(desk):
    world = golden()
    for rows in (world.totality.payment_plans, world.totality.scheduled_payments):
        for row in rows:
            row |= {name: str(PAYIQ_PLAN) for name, value in row.items() if value == TOTALITY_PLAN}
    two = desk(world).without("payt")
    two.run(date(2025, 6, 7))
    with pytest.raises(
        UsageError, match=r"2 plans are called '7001'; say which one: --provider payiq .*; --provider totality "
    ):
        explain(two.file, Wanted(str(PAYIQ_PLAN), as_of=date(2025, 6, 7)), style="text")
    assert explain(two.file, Wanted(str(PAYIQ_PLAN), "totality", as_of=date(2025, 6, 7)), style="text") == 0


@pytest.fixture(scope="module")
def two_days(open_desk, tmp_path_factory):
    """The demo's world, with every kind of break, as of two dates."""
    with open_desk(tmp_path_factory.mktemp("two"), scenarios.demo()) as desk:
        desk.run(AS_OF - timedelta(14))
        desk.report(AS_OF)
        yield desk


@pytest.mark.slow
def test_every_kind_of_break_is_explained_with_both_sides_their_source_its_rule_life_and_severity(two_days):
    settings = load(two_days.file)
    kinds = {row["code"]: row for row in two_days.rows("breaks") if row["state"] != "RESOLVED"}
    lives = set()
    with opened(two_days) as warehouse:
        for row in kinds.values():
            told = json.loads(breaks_json(explained_break(warehouse.con, settings, Wanted(row["fingerprint"][:20]))))
            same = (
                "plan_id",
                "term_id",
                "payment_id",
                "account_id",
                "code",
                "reason",
                "side",
                "expected",
                "actual",
                "difference",
            )
            assert {name: shown(told[name]) for name in same} == {name: row[name] for name in same}
            assert row["explanation"].startswith(told["explanation"])
            assert told["severity_because"].endswith(f": {row['severity']}.")
            # A term whose plan no fetch has ever shown stands in no plan to tell of.
            assert told["rows"] or (row["code"], row["reason"]) == ("ORPHAN_PAYMENT", "PLAN")
            assert all(each["source"]["snapshot_id"] for each in told["rows"])
            assert {each["name"] for each in told["settings"]} >= {"escalate_days", "calendar"}
            assert all(rule["means"] and rule["action"] for rule in told["rules"])
            assert told["life"][-1]["state"] == row["state"]
            assert told["life"][-1]["as_of"] == "2026-06-30"
            assert told["life"][0]["as_of"] == told["first_seen"] == row["first_seen"]
            if "one step worse" in told["severity_because"]:
                assert date.fromisoformat(row["first_seen"]) < AS_OF
            lives.add(len(told["life"]))
    assert len(kinds) >= 12
    assert lives == {1, 2}


def test_a_break_is_told_as_of_the_date_that_is_asked_for(two_days, capsys):
    row = next(
        row for row in two_days.rows("breaks") if row["first_seen"] == "2026-06-16" and row["state"] == "ONGOING"
    )
    assert explain(two_days.file, Wanted(row["fingerprint"], as_of=date(2026, 6, 20)), style="text") == 0
    text = capsys.readouterr().out
    assert f"Break {row['fingerprint'][:12]}: {row['code']}" in text
    assert "As of 16 June 2026" in text
    assert "ITS LIFE  first seen 16 June 2026, now NEW\n" in text
    assert "30 June 2026 (run" not in text


def test_a_beginning_that_no_plan_and_no_break_has_is_refused(two_days):
    with pytest.raises(UsageError, match="no plan is called 'ffffffffffff'"):
        explain(two_days.file, Wanted("f" * 12, as_of=AS_OF), style="text")
