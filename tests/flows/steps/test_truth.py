"""What the pipeline reports equals the slow answer: another program, in plain Python, from the definitions alone."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from importlib.metadata import version

import pytest
from oracles.replay import Rules

from sandbox.worlds import scenarios
from sandbox.worlds.generate_payt import Administration

SCHEDULES = {"AMOUNT_DIFF", "DUE_DATE_DIFF", "TERM_MISSING", "TERM_EXTRA", "AMBIGUOUS_PAIR"}
AS_OF = date(2026, 6, 30)
DAYS = tuple(date.fromisoformat(day) for day in ("2026-06-30", "2026-05-31", "2026-03-16", "2025-12-31", "2025-09-01"))
MAKERS = {
    "generated": lambda: scenarios.generate(seed=17, plans=300, as_of=AS_OF),
    "demo": scenarios.demo,
}


@pytest.fixture(scope="module", params=sorted(MAKERS))
def portfolio(request, open_desk, tmp_path_factory):
    world = MAKERS[request.param]()
    with open_desk(tmp_path_factory.mktemp(request.param), world) as desk:
        yield desk, desk.run(AS_OF).folder


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_figure_equals_the_slow_answer(portfolio, compare, compare_replay, day):
    desk, folder = portfolio
    if day != AS_OF:
        folder = desk.report(day).folder
    assert compare(desk, folder, day) == []
    assert compare_replay(desk, folder, day) == []
    due = Counter()
    for row in desk.rows("aging", folder):
        due[row["currency"]] += Decimal(row["amount_due"])
    for row in desk.rows("aging_terms", folder):
        due[row["currency"]] -= Decimal(row["outstanding"])
    assert not any(due.values()), "aged by plan or by term, the same money is due"


def test_the_scenarios_are_large_enough_to_mean_something(portfolio):
    desk, folder = portfolio
    states = {row["state"] for row in desk.rows("terms", folder)}
    assert states >= {"PAID_EARLY", "PAID_ON_TIME", "PAID_LATE", "MISSED", "PARTIAL_OVERDUE", "NOT_DUE", "VOID"}
    assert {row["status"] for row in desk.rows("plans", folder)} >= {"ACTIVE", "FINISHED", "SUPERSEDED"}
    assert len({row["currency"] for row in desk.rows("plans", folder)}) >= 2
    assert len({row["code"] for row in desk.rows("breaks", folder)}) >= 5


def test_a_schedule_that_keeps_its_own_rules_gives_no_break(portfolio):
    """Every plan of the generated world was written by its rule: only what a planted fault added may differ."""
    desk, folder = portfolio
    found = [row for row in desk.rows("breaks", folder) if row["code"] in SCHEDULES]
    judged = [row["conformance"] for row in desk.rows("plans", folder) if row["provider"] == "totality"]
    assert judged.count("CONFORMS") + judged.count("DATES_ONLY") > 10
    assert len({row["plan_id"] for row in found}) == judged.count("DIFFERS") <= len(judged) // 5


def test_the_demo_tells_the_forgotten_holiday_from_the_wrong_direction(open_desk, tmp_path):
    """Monday 25 May 2026 is Memorial Day and the rule moves it to the 26th: one plan stays, one goes to the 24th."""
    with open_desk(tmp_path, scenarios.demo()) as desk:
        folder = desk.without("payt", "payiq").run(AS_OF).folder
    found = {row["actual"]: row for row in desk.rows("breaks", folder) if row["code"] == "DUE_DATE_DIFF"}
    assert set(found) == {"2026-05-25", "2026-05-24"}
    assert {row["expected"] for row in found.values()} == {"2026-05-26"}
    assert found["2026-05-25"]["reason"] == "HOLIDAY_SHIFT"
    assert found["2026-05-25"]["difference_days"] == "-1"
    assert "WRONG_DIRECTION" in found["2026-05-24"]["reason"].split("|")
    assert "Memorial Day" in found["2026-05-25"]["explanation"]


def test_a_day_that_only_the_configuration_closes_moves_due_dates_and_is_told(open_desk, tmp_path):
    """Japan works on 25 May 2026: the two plans conform or not by the closed days of one's own, named in the trace."""
    with open_desk(tmp_path, scenarios.demo()) as desk:
        own = ["2026-05-25 Memorial Day"]
        desk.configure(totality={"calendar": "JP"})
        without = desk.run(AS_OF).folder
        desk.configure(totality={"closed_days": own})
        folder = desk.report(AS_OF).folder
        told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))

    def differing(where):
        rows = (row for row in desk.rows("breaks", where) if row["code"] == "DUE_DATE_DIFF")
        return {row["actual"]: row for row in rows if row["state"] != "RESOLVED"}

    assert "2026-05-25" not in differing(without)
    found = differing(folder)["2026-05-25"]
    assert (found["expected"], found["reason"], found["difference_days"]) == ("2026-05-26", "HOLIDAY_SHIFT", "-1")
    edition = version("holidays")
    assert "holiday Memorial Day" in found["explanation"]
    assert f"calendar JP (holidays {edition}) + 1 own closed day" in found["explanation"]
    assert told["calendars"] == [
        {"provider": name, "calendar": label, "weekend": [6, 7], "own_closed_days": own_days}
        for name, label, own_days in (
            ("payt", f"NL (holidays {edition})", 0),
            ("totality", f"JP (holidays {edition}) + 1 own closed day", 1),
            ("payiq", f"US (holidays {edition})", 0),
        )
    ]


def test_a_plan_too_many_is_told_by_both_answers_of_one_debtor_and_of_two_tenants(open_desk, compare, tmp_path):
    world, made, due = scenarios.golden(), date(2025, 2, 14), date(2025, 8, 1)
    for tenant, plans in (("1002", ("31", "41", "42")), ("1003", ("31",))):
        office = Administration(tenant)
        world.payt.administrations.append(office.row(f"Office {tenant}"))
        world.payt.debtors.append(office.debtor("1", made))
        for plan_id in plans:
            amount = 5000 if plan_id == "31" else 7000
            term = office.term(f"{plan_id}0", amount, amount, due)
            world.payt.payment_plans.append(office.plan(plan_id, "1", [term], made))
    with open_desk(tmp_path, world) as desk:
        folder = desk.run(scenarios.GOLDEN_AS_OF).folder
        told = {(row["reason"], row["tenant_id"], row["plan_id"]) for row in desk.rows("breaks", folder)}
        assert told >= {("EQUAL_PLANS", "1002", "41"), ("PLAN_IN_TWO_TENANTS", "1002", "31")}
        assert compare(desk, folder, scenarios.GOLDEN_AS_OF) == []


RULES = {
    "late-terms": {"total": 2, "consecutive": 0, "probation": 1},
    "days": {"days": 20, "consecutive": 0, "deactivated": True, "return_days": 10},
    "share": {"share": 300_000, "consecutive": 3, "probation": 2},
}
SETTINGS = {
    "consecutive": "consecutive_missed",
    "total": "total_late",
    "days": "days_past_due",
    "deactivated": "provider_deactivated",
}


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_for_broken_plans_means_what_the_replay_takes_it_for(nibbled_desk, compare_replay, name):
    desk, rules = nibbled_desk, RULES[name]
    told = {SETTINGS.get(key, key): value for key, value in rules.items() if key != "share"}
    told |= {"overdue_share": rules["share"] / 1_000_000} if "share" in rules else {}
    desk.configure(outcome=told, run={"grace_days": 3})
    try:
        folder = desk.report(AS_OF).folder
    finally:
        desk.configure(outcome=dict.fromkeys(told), run={"grace_days": None})
    assert compare_replay(desk, folder, AS_OF, Rules(**rules), grace_days=3) == []
    assert compare_replay(desk, folder, AS_OF, grace_days=3), "the rule changes nothing here, so this proves nothing"


VARIATIONS = {
    "grace": {"grace_days": 5},
    "grace-shift": {"grace_days": 5, "grace_mode": "SHIFT"},
    "grace-gate": {"grace_days": 5, "grace_mode": "GATE"},
    "cent": {"tolerance": "CENT"},
    "percent": {"tolerance": "PCT:10"},
    "skip": {"tolerance": "FFIEC90", "residual": "SKIP"},
    "larger": {"tolerance": "MAX:5.00,2"},
    "smaller": {"tolerance": "MIN:5.00,2"},
    "buckets": {"bucket_set": "IFRS"},
    "own-buckets": {"bucket_set": "OWN", "own_buckets": ((0, 0), (1, 9), (10, 44), (45, None))},
    "business-days": {"day_basis": "BUSINESS", "stale_pending_days": 1, "settlement_days": 6},
    "closed-days": {"closed_days": ["2026-06-29 Works outing", "2026-06-12", "2026-04-16"]},
}


def nibbled():
    """A smaller world in which many payments are a cent, some cents or a twelfth short."""
    world = scenarios.generate(seed=29, plans=90, as_of=AS_OF)
    short = (0, 1, 0, 12, 300)
    for number, row in enumerate(world.totality.payments):
        row["amount"] -= min(row["amount"] - 1, short[number % 5] or (row["amount"] // 12 if number % 3 else 0))
    return world


@pytest.fixture(scope="module")
def nibbled_desk(open_desk, tmp_path_factory):
    with open_desk(tmp_path_factory.mktemp("nibbled"), nibbled()) as desk:
        desk.run(AS_OF)
        yield desk


@pytest.mark.parametrize("name", sorted(VARIATIONS))
def test_every_option_means_what_the_slow_answer_takes_it_for(nibbled_desk, compare, name):
    desk, chosen = nibbled_desk, VARIATIONS[name]
    told = {key: value for key, value in chosen.items() if key != "own_buckets"}
    ranges = [[first] if last is None else [first, last] for first, last in chosen.get("own_buckets", ())]
    desk.configure(run=told, buckets={"ranges": ranges})
    try:
        folder = desk.report(AS_OF).folder
    finally:
        desk.configure(run=dict.fromkeys(told), buckets={"ranges": None})
    assert compare(desk, folder, AS_OF, **chosen) == []
    assert compare(desk, folder, AS_OF), "the option changes nothing here, so this proves nothing"
