"""Generated portfolios have the size asked for, are mostly healthy and never change."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from oracles.truth import truth

from sandbox.worlds.scenarios import generate

AS_OF = date(2026, 6, 30)


@pytest.fixture(scope="module")
def answer():
    return truth(generate(seed=11, plans=900, as_of=AS_OF), AS_OF)


@pytest.mark.parametrize("plans", [10, 61, 300])
def test_as_many_plans_as_asked_for_are_spread_over_the_providers(plans):
    world = generate(seed=5, plans=plans, as_of=AS_OF)
    counts = [len(world.payt.payment_plans), len(world.totality.payment_plans), len(world.payiq.plans)]
    assert sum(counts) == plans
    assert max(counts) - min(counts) <= 1


def test_only_the_providers_asked_for_get_plans():
    world = generate(seed=5, plans=20, as_of=AS_OF, providers=("payiq",))
    assert (len(world.payiq.plans), world.payt.payment_plans, world.totality.loans) == (20, [], [])


def test_an_unknown_provider_is_refused():
    with pytest.raises(ValueError, match="at least one plan"):
        generate(seed=5, plans=20, as_of=AS_OF, providers=("other",))


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    first, again, other = (generate(seed=seed, plans=40, as_of=AS_OF).to_json() for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_a_few_plans_in_a_hundred_are_wrong(answer):
    wrong = {(row["provider"], row["plan_id"] or row["payment_id"]) for row in answer["breaks"]}
    assert 0.02 <= len(wrong) / 900 <= 0.055


def test_people_pay_on_time_late_early_in_parts_ahead_and_not_at_all(answer):
    states = Counter(row["state"] for row in answer["terms"])
    wanted = ("PAID_ON_TIME", "PAID_LATE", "PAID_EARLY", "PREPAID_PART", "MISSED", "PARTIAL_OVERDUE", "NOT_DUE")
    assert all(states[state] > 10 for state in wanted)
    assert sum(1 for row in answer["plans"] if row["pending"] != "0.00") > 10
    assert len({row["bucket"] for row in answer["plans"]}) >= 7


@pytest.mark.parametrize("days_back", [0, 45, 200])
def test_the_equations_of_a_plan_hold_on_any_day(days_back):
    day = AS_OF - timedelta(days=days_back)
    answer = truth(generate(seed=11, plans=300, as_of=AS_OF), day)
    terms: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in answer["terms"]:
        terms.setdefault((row["provider"], row["plan_id"]), []).append(row)
    for plan in answer["plans"]:
        money = {
            name: Decimal(plan[name] or 0)
            for name in plan
            if name
            in {
                "amount",
                "received",
                "outstanding",
                "amount_due",
                "overdue",
                "due_today",
                "not_due",
                "overdue_past_grace",
            }
        }
        waived = sum(Decimal(row["waived"]) for row in terms.get((plan["provider"], plan["plan_id"]), []))
        assert money["amount_due"] == money["overdue"] + money["due_today"]
        assert money["outstanding"] == money["amount_due"] + money["not_due"]
        assert money["overdue_past_grace"] == money["overdue"]
        assert money["amount"] - waived == money["received"] + money["outstanding"]
        assert (plan["days_past_due"] > 0) == (money["overdue"] > 0)
        assert plan["shadow_days_past_due"] <= plan["days_past_due"]
        assert plan["days_past_due_business"] <= plan["days_past_due"]
        if plan["mba_months"] is not None:
            assert plan["ots_months"] <= plan["mba_months"] <= plan["ots_months"] + 1


def test_allocated_money_is_what_the_terms_received(answer):
    allocated: Counter[tuple[str, str]] = Counter()
    for row in answer["payments"]:
        if row["allocated"] is not None:
            allocated[row["provider"], row["plan_id"]] += Decimal(row["allocated"])
    for plan in answer["plans"]:
        if plan["basis"] == "PAYMENTS":
            assert allocated[plan["provider"], plan["plan_id"]] == Decimal(plan["received"])
