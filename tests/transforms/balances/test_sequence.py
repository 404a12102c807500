"""The order of terms, and what follows from it."""

import random
from datetime import date

import polars as pl
import pytest

DAY = date(2025, 3, 1)


def order(make, *terms: dict[str, object]) -> list[str]:
    due = [{"due_date": DAY, "amount_minor": 100} | term for term in terms]
    return make.case(due=due).at(DAY).terms["term_id"].to_list()


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["10", "9", "100"], ["9", "10", "100"]),
        (["b", "a"], ["a", "b"]),
        (["10", "9", "x"], ["10", "9", "x"]),
        (
            ["99999999999999999999", "100000000000000000000", "7"],
            ["7", "99999999999999999999", "100000000000000000000"],
        ),
    ],
    ids=["numbers", "texts", "one text makes all texts", "numbers beyond 64 bits"],
)
def test_terms_of_one_day_follow_their_ids(make, ids, expected) -> None:
    for shuffled in (ids, ids[::-1]):
        assert order(make, *({"term_id": name} for name in shuffled)) == expected


def test_the_provider_s_sequence_comes_before_the_id(make) -> None:
    assert order(make, {"term_id": "1", "term_sequence": 2}, {"term_id": "2", "term_sequence": 1}) == ["2", "1"]


def test_the_first_of_two_terms_on_one_day_takes_the_money(make) -> None:
    case = make.case(
        due=[{"term_id": name, "due_date": DAY, "amount_minor": 100} for name in ("10", "9")],
        paid=[{"effective_date": DAY, "amount_minor": 100}],
    )
    terms = case.at(DAY).terms
    assert terms["received_minor"].to_list() == [100, 0]
    assert terms["term_no"].to_list() == [1, 2]
    plan = case.plan(date(2025, 2, 1))
    assert (plan["next_due_date"], plan["next_due_amount_minor"]) == (DAY, 200)


def test_the_next_due_amount_leaves_paid_and_later_terms_out(make) -> None:
    days = [(1, 100), (1, 50), (1, 7), (2, 900)]
    due = [{"due_date": date(2025, 3, day), "amount_minor": amount} for day, amount in days]
    case = make.case(due=due, paid=[{"effective_date": date(2025, 2, 1), "amount_minor": 120}])
    assert case.plan(date(2025, 2, 2))["next_due_amount_minor"] == 37


def test_a_plan_without_terms_and_a_zero_term_are_listed(make) -> None:
    case = make.case(plan=[{}, {}], due=[{"plan_no": 1, "due_date": DAY, "amount_minor": 0}])
    found = case.at(DAY)
    assert found.plans["terms"].to_list() == [0, 1]
    assert found.plans["outstanding_minor"].to_list() == [0, 0]
    assert found.terms["state"].to_list() == ["PAID_EARLY"]


def test_an_overpayment_stays_unapplied_and_leaves_the_last_payment(make) -> None:
    case = make.case(
        due=[{"due_date": DAY, "amount_minor": 100}],
        paid=[{"effective_date": date(2025, 2, day), "amount_minor": 80} for day in (2, 1)],
    )
    found = case.at(DAY)
    assert found.plans["unapplied_minor"].to_list() == [60]
    assert found.plans["unapplied_since"].to_list() == [found.payments["effective_date"].max()]
    assert found.payments["allocated_minor"].to_list() == [20, 80]


def test_the_day_since_which_everything_is_paid(make) -> None:
    """Paid in full on Saturday 1 March 2025; by Monday the 10th six business days have passed."""
    case = make.case(
        due=[{"due_date": DAY, "amount_minor": 100}, {"due_date": date(2025, 2, 1), "amount_minor": 100}],
        paid=[{"effective_date": date(2025, 2, 20), "amount_minor": 150}, {"effective_date": DAY, "amount_minor": 50}],
    )
    plan = case.plan(date(2025, 3, 10))
    assert (plan["last_satisfied_on"], plan["business_days_satisfied"]) == (DAY, 6)
    assert case.plan(date(2025, 2, 28))["last_satisfied_on"] is None


def test_empty_feeds_give_empty_positions(make) -> None:
    found = make.case(plan=[]).at(DAY)
    assert (found.terms.height, found.plans.height, found.payments.height) == (0, 0, 0)


def test_sums_beyond_64_bits_are_computed_in_halves(make) -> None:
    """Two thousand five hundred plans of four terms at the largest amount: ten times 10^18 minor units in all."""
    largest, count = 10**15, 2500
    due = [
        {"plan_no": plan, "term_id": f"{step}", "due_date": date(2025, month, 1), "amount_minor": largest}
        for plan in range(count)
        for step, month in enumerate((1, 2, 3, 4))
    ]
    paid = [{"account_no": plan, "effective_date": DAY, "amount_minor": largest} for plan in range(count)]
    random.Random(3).shuffle(due)
    found = make.case(plan=[{}] * count, due=due, paid=paid).at(date(2025, 3, 15))
    assert found.plans.height == count
    assert found.plans.filter(pl.col("outstanding_minor") != 3 * largest).is_empty()
    assert found.terms["satisfied_on"].drop_nulls().len() == count
    assert found.payments["allocated_minor"].to_list() == [largest] * count
