"""Pending money beside what is due: coverage, shadow days, stale payments."""

from datetime import date, timedelta

import pytest

from schemas.options import Options

DAY = date(2025, 4, 10)


def waiting(
    make, *amounts: int, since: date = date(2025, 4, 8), rows: dict[str, object] | None = None, day: date = DAY
):
    case = make.case(
        due=[{"due_date": date(2025, month, 1), "amount_minor": 100_00} for month in (3, 4, 5)],
        paid=[
            {"effective_date": since, "created_on": since, "class": "pending", "amount_minor": amount} | (rows or {})
            for amount in amounts
        ],
    )
    return case.at(day)


@pytest.mark.parametrize(
    ("amount", "share", "shadow"),
    [
        (0, 0, 40),
        (50_00, 250_000, 40),
        (100_00, 500_000, 9),
        (199_99, 999_950, 9),
        (200_00, 1_000_000, 0),
        (900_00, 1_000_000, 0),
    ],
)
def test_coverage_is_the_share_of_the_amount_due_that_is_on_its_way(make, amount, share, shadow) -> None:
    plan = waiting(make, amount).plans.row(0, named=True)
    assert plan["coverage_ppm"] == share
    assert plan["shadow_days_past_due"] == shadow
    assert plan["pending_minor"] == amount


def test_pending_money_changes_no_balance_no_state_and_no_days(make) -> None:
    with_money, without = waiting(make, 250_00), waiting(make)
    untouched = ["state", "received_minor", "outstanding_minor", "days_late"]
    assert with_money.terms.select(untouched).equals(without.terms.select(untouched))
    names = ["days_past_due", "amount_due_minor", "outstanding_minor", "bucket", "missed_terms"]
    assert with_money.plans.select(names).equals(without.plans.select(names))


def test_pending_money_lies_on_the_oldest_open_terms(make) -> None:
    assert waiting(make, 120_00, 30_00).terms["pending_minor"].to_list() == [100_00, 50_00, 0]


def test_coverage_is_rounded_half_up_and_empty_when_nothing_is_due(make) -> None:
    case = make.case(
        due=[{"due_date": date(2025, 3, 1), "amount_minor": 3}],
        paid=[{"effective_date": DAY, "class": "pending", "amount_minor": 2}],
    )
    assert case.plan(DAY)["coverage_ppm"] == 666_667
    assert case.plan(date(2025, 2, 28))["coverage_ppm"] is None


def test_coverage_of_the_largest_amounts_is_exact(make) -> None:
    case = make.case(
        due=[{"due_date": date(2025, 3, 1), "amount_minor": 10**15}],
        paid=[{"effective_date": DAY, "class": "pending", "amount_minor": 10**15 - 1}],
    )
    assert case.plan(DAY)["coverage_ppm"] == 1_000_000
    assert case.plan(DAY)["shadow_days_past_due"] == 40


def test_a_payment_is_stale_on_the_sixth_business_day_and_then_covers_nothing(make) -> None:
    """Created on Tuesday 1 April 2025: the fifth business day after it is Tuesday the 8th."""
    fifth = waiting(make, 200_00, since=date(2025, 4, 1), day=date(2025, 4, 8))
    sixth = waiting(make, 200_00, since=date(2025, 4, 1), day=date(2025, 4, 9))
    assert fifth.payments.select("is_stale", "pending_business_days").row(0) == (False, 5)
    assert sixth.payments.select("is_stale", "pending_business_days").row(0) == (True, 6)
    assert fifth.plans["coverage_ppm"].to_list() == [1_000_000]
    plan = sixth.plans.row(0, named=True)
    assert (plan["coverage_ppm"], plan["pending_minor"], plan["fresh_pending_minor"]) == (0, 200_00, 0)
    assert plan["shadow_days_past_due"] == plan["days_past_due"] == 39
    assert sixth.terms["pending_minor"].to_list() == [100_00, 100_00, 0]
    assert sixth.terms["fresh_pending_minor"].to_list() == [0, 0, 0]


def test_promises_and_repeats_are_listed_and_not_counted(make) -> None:
    found = waiting(make, 100_00, rows={"is_money": False})
    assert found.payments.height == 1
    assert found.plans["pending_minor"].to_list() == [0]


def test_money_in_another_currency_covers_nothing(make) -> None:
    found = waiting(make, 100_00, rows={"currency": "USD"})
    assert found.plans["pending_minor"].to_list() == [0]
    assert found.payments["plan_no"].to_list() == [0]


def test_pending_money_belongs_to_the_plan_in_force_today(make) -> None:
    """It was started under the old plan, which a newer one has replaced since."""
    case = make.case(
        plan=[{"is_active": False, "ended_on": date(2025, 4, 5)}, {"account_no": 0, "created_on": date(2025, 4, 5)}],
        due=[{"plan_no": 1, "due_date": date(2025, 4, 6), "amount_minor": 100}],
        paid=[{"effective_date": date(2025, 4, 4), "class": "pending", "amount_minor": 100}],
    )
    assert case.at(DAY).payments["plan_no"].to_list() == [1]


def test_the_limit_is_an_option(make) -> None:
    case = make.case(paid=[{"effective_date": DAY, "class": "pending", "amount_minor": 1}])
    for limit, stale in ((0, True), (1, False)):
        located = case.locate(DAY + timedelta(days=1), Options(stale_pending_days=limit))
        assert located.payments["is_stale"].to_list() == [stale]
