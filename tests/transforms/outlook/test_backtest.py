"""What came of what was expected: by day, by term, by the knowledge of now."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.options import Options, Tolerance
from transforms.outlook.backtest import windows_of

START = date(2025, 5, 1)
AS_OF = date(2025, 7, 1)


def _day(month: int, day: int) -> date:
    return date(2025, month, day)


def _came(case: Any, days: int = 30, **more: Any) -> int:
    rows = case.at(AS_OF, windows=[(days, START)], **more).came
    return sum(rows["backtest_received_minor"])


DUE = [{"due_date": day, "amount_minor": 100_00} for day in (_day(5, 1), _day(5, 2), _day(5, 31), _day(6, 1))]


@pytest.mark.parametrize(
    ("paid", "came"),
    [
        ([(_day(5, 1), 200_00)], 0),  # there when it was looked ahead
        ([(_day(5, 1), 130_00), (_day(5, 9), 500_00)], 170_00),  # of two terms in the window
        ([(_day(5, 9), 140_00)], 40_00),  # the term due before takes its own first
        ([(_day(5, 31), 300_00)], 200_00),
        ([(_day(6, 1), 300_00)], 0),  # too late
    ],
)
def test_money_counts_for_terms_due_in_the_window_from_the_day_after_its_start_to_its_end(
    make: SimpleNamespace, paid: list[tuple[date, int]], came: int
) -> None:
    case = make.case(due=DUE, paid=[{"effective_date": day, "amount_minor": amount} for day, amount in paid])
    assert _came(case) == came


@pytest.mark.parametrize(("back", "came"), [(_day(5, 20), 0), (_day(6, 2), 100_00)])
def test_what_went_back_inside_the_window_did_not_come(make: SimpleNamespace, back: date, came: int) -> None:
    paid = {"effective_date": _day(5, 9), "amount_minor": 200_00, "class": "reversed", "reversed_on": back}
    assert _came(make.case(due=DUE, paid=[paid])) == came


def test_money_for_a_named_term_counts_for_that_term(make: SimpleNamespace) -> None:
    due = [DUE[0], DUE[1], DUE[2] | {"linked_payment_no": 0}]
    paid = [{"effective_date": _day(5, 9), "amount_minor": 70_00}]
    assert _came(make.case(due=due, paid=paid)) == 70_00


def test_a_residual_that_is_passed_over_takes_nothing_in_the_window(make: SimpleNamespace) -> None:
    paid = [{"effective_date": day, "amount_minor": 95_00} for day in (_day(5, 1), _day(5, 9))]
    options = Options(tolerance=Tolerance.parse("PCT:10"), residual="SKIP")
    assert _came(make.case(due=DUE, paid=paid), options=options) == 95_00


def test_a_balance_counts_from_the_day_its_provider_names_else_from_its_version(make: SimpleNamespace) -> None:
    terms = [
        {
            "amount_minor": 100_00,
            "due_date": _day(5, 10),
            "provider_outstanding_minor": left,
            "provider_paid_on": paid,
            "updated_on": told,
        }
        for left, paid, told in [
            (0, _day(5, 9), _day(6, 20)),
            (0, _day(6, 9), _day(6, 20)),
            (60_00, None, _day(5, 31)),
            (60_00, None, _day(6, 20)),
            (60_00, None, _day(5, 1)),
        ]
    ]
    assert _came(make.case(plan={"basis": "PROVIDER_BALANCE"}, due=terms)) == 140_00


def test_each_horizon_is_held_to_the_newest_date_from_which_it_has_ended() -> None:
    published = [AS_OF - timedelta(days) for days in (41, 30, 9, 1)]
    windows = windows_of(published, (0, 7, 14, 30, 60), AS_OF)
    assert windows == [(days, AS_OF - timedelta(back)) for days, back in ((7, 9), (14, 30), (30, 30))]
