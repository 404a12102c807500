"""Each plan stands on the lists of the day's work that its figures put it on, and money that came in last is dated."""

from datetime import date

import polars as pl
import pytest

from schemas.core import PAUSES
from schemas.words import WORK_LIST_MEANINGS, WORK_LISTS
from transforms.delinquency.pauses import Pauses
from transforms.delinquency.work_lists import work_lists

DAY = date(2025, 4, 10)
LATE, TODAY, LATER = ({"due_date": date(2025, 4, day), "amount_minor": 100} for day in (1, 10, 20))


def coming(day):
    return {"effective_date": date(2025, 4, day), "created_on": date(2025, 4, day), "class": "pending"}


@pytest.mark.parametrize(
    ("due", "paid", "plan", "lists"),
    [
        ([LATE], [], {}, "CALL_TODAY"),
        ([TODAY], [], {}, "DUE_TODAY"),
        ([LATER], [], {}, ""),
        ([LATE, TODAY], [], {}, "CALL_TODAY;DUE_TODAY"),
        ([LATE], [{**coming(9), "amount_minor": 1}], {}, "SETTLING"),
        ([LATE], [{**coming(9), "amount_minor": 100}], {}, "SETTLING"),
        ([LATE], [{"effective_date": DAY, "amount_minor": 100}], {}, ""),
        ([LATE], [], {"deactivated_on": date(2025, 4, 5), "is_active": False}, "ENDED_WITH_MONEY"),
        ([LATE, TODAY], [], {"deactivated_on": date(2025, 4, 5), "is_active": False}, "ENDED_WITH_MONEY"),
        ([LATER], [], {"deactivated_on": date(2025, 4, 5), "is_active": False}, ""),
    ],
)
def test_a_plan_stands_on_the_lists_its_figures_put_it_on(make, due, paid, plan, lists):
    assert make.case(plan=plan, due=due, paid=paid).plan(DAY)["work_lists"] == lists


def test_money_that_waits_too_long_is_not_on_its_way(make):
    case = make.case(due=[{**LATE, "due_date": date(2025, 1, 10)}], paid=[{**coming(9), "created_on": date(2025, 1, 9), "effective_date": date(2025, 1, 9), "amount_minor": 5}])  # fmt: skip
    assert case.plan(DAY)["work_lists"] == "CALL_TODAY"


def test_a_paused_plan_is_chased_by_no_list_but_still_due_today(make):
    row = {"plan_no": 0, "pause_start": date(2025, 4, 5), "pause_end": None}
    pauses = Pauses(PAUSES.empty(), pl.DataFrame([row], schema=dict(PAUSES.dtypes)))
    assert make.case(due=[LATE, TODAY]).plan(DAY, pauses=pauses)["work_lists"] == "DUE_TODAY;PAUSED"


@pytest.mark.parametrize(
    ("flags", "lists"),
    [("INVOICES_OWE_LESS", "NOT_OWED"), ("AS_OF_APPROXIMATE;INVOICES_OWE_LESS;PAUSED", "PAUSED"), ("NEAR_BREAK", "CALL_TODAY")],
)  # fmt: skip
def test_a_plan_whose_invoices_owe_less_is_to_be_corrected_and_not_called(make, flags, lists):
    plans = make.case(due=[LATE]).at(DAY).plans.with_columns(flags=pl.lit(flags))
    assert plans.select(work_lists()).item() == lists


@pytest.mark.parametrize(
    ("paid", "day"),
    [
        ([], None),
        ([{"effective_date": date(2025, 4, 2), "amount_minor": 1}, {"effective_date": date(2025, 4, 7), "amount_minor": 1}], 7),
        ([{"effective_date": date(2025, 4, 2), "amount_minor": 1}, {"effective_date": date(2025, 4, 11), "amount_minor": 1}], 2),
        ([{"effective_date": date(2025, 4, 2), "amount_minor": 1}, {**coming(9), "amount_minor": 1}], 2),
        ([{"effective_date": date(2025, 4, 2), "amount_minor": 1}, {"effective_date": date(2025, 4, 7), "amount_minor": 1, "class": "reversed", "reversed_on": date(2025, 4, 9)}], 2),
        ([{"effective_date": date(2025, 4, 2), "amount_minor": 1, "currency": "USD"}], None),
    ],
    ids=["none", "the newest", "none after the date", "no pending money", "none that went back", "no other currency"],
)  # fmt: skip
def test_the_last_receipt_is_the_newest_settled_money_that_stayed(make, paid, day):
    plan = make.case(due=[LATE], paid=paid).plan(DAY)
    assert plan["last_receipt_date"] == (day and date(2025, 4, day))


def test_a_term_s_payment_date_counts_where_the_provider_states_balances(make):
    paid = [
        {**LATE, "provider_outstanding_minor": 0, "provider_paid_on": date(2025, 4, 8)},
        {**LATER, "provider_outstanding_minor": 100},
    ]
    case = make.case(plan=[{"basis": "PROVIDER_BALANCE"}, {}], due=paid)
    assert case.at(DAY).plans["last_receipt_date"].to_list() == [date(2025, 4, 8), None]
    assert case.at(date(2025, 4, 7)).plans["last_receipt_date"].to_list() == [None, None]


def test_every_list_says_what_it_is_for():
    assert tuple(WORK_LIST_MEANINGS) == WORK_LISTS
