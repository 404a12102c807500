"""Months past due in the mortgage bankers' and the thrift count, and which plans have them."""

from datetime import date

import polars as pl
import pytest

from transforms.delinquency.months import months_past_due

CASES = [
    (date(2025, 3, 10), 10, [(date(2025, 4, 9), 0, 1), (date(2025, 4, 10), 1, 1), (date(2025, 5, 9), 1, 2), (date(2025, 5, 10), 2, 2)]),
    (date(2025, 4, 1), 1, [(date(2025, 4, 30), 0, 1), (date(2025, 5, 1), 1, 1), (date(2025, 5, 31), 1, 2)]),
    (date(2025, 1, 31), 31, [(date(2025, 2, 27), 0, 1), (date(2025, 2, 28), 1, 1), (date(2025, 3, 30), 1, 2), (date(2025, 3, 31), 2, 2)]),
    (date(2024, 1, 31), 31, [(date(2024, 2, 28), 0, 1), (date(2024, 2, 29), 1, 1)]),
    (date(2025, 2, 28), 31, [(date(2025, 3, 30), 0, 1), (date(2025, 3, 31), 1, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("oldest", "anchor", "day", "ots", "mba"),
    [(oldest, anchor, *row) for oldest, anchor, rows in CASES for row in rows],
)
def test_a_month_is_over_on_the_anchor_day_or_the_last_day_of_a_shorter_month(oldest, anchor, day, ots, mba) -> None:
    found = months_past_due(pl.Series([oldest]), pl.Series([anchor]), as_of=day)
    assert found.row(0) == (mba, ots)


def test_the_two_counts_never_differ_by_more_than_one() -> None:
    firsts = pl.date_range(date(2024, 1, 25), date(2024, 3, 3), eager=True)
    for day in pl.date_range(date(2024, 1, 25), date(2025, 3, 5), eager=True):
        found = months_past_due(firsts, firsts.dt.day().cast(pl.Int64), as_of=day)
        assert (found["mba_months"] - found["ots_months"]).is_between(0, 1).all()


def months(make, due: list[date], plan: dict[str, object] | None = None, as_of: date = date(2025, 6, 15)):
    case = make.case(plan=plan or {}, due=[{"due_date": day, "amount_minor": 100} for day in due])
    row = case.plan(as_of)
    return row["mba_months"], row["ots_months"]


def test_due_dates_on_the_last_days_of_months_are_monthly(make) -> None:
    assert months(make, [date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 31), date(2025, 4, 30)]) == (4, 4)


@pytest.mark.parametrize(
    "due",
    [
        [date(2025, 1, 1)],
        [date(2025, 1, 1), date(2025, 3, 1)],
        [date(2025, 1, 1), date(2025, 1, 1), date(2025, 2, 1)],
        [date(2025, 1, 1), date(2025, 2, 2)],
        [date(2025, 1, 30), date(2025, 2, 27)],
        [date(2025, 1, 1), date(2025, 1, 8), date(2025, 1, 15)],
    ],
    ids=["one term", "a month left out", "twice a month", "another day", "before the last day", "weekly"],
)
def test_other_due_dates_are_not_monthly(make, due) -> None:
    assert months(make, due) == (None, None)


def test_a_stated_monthly_rule_counts_from_the_nominal_date(make) -> None:
    """Due on Saturday 1 March, shifted to Monday 3 March: the month is over on 1 April."""
    case = make.case(
        plan={"cadence": "MONTHLY", "anchor_day": 1},
        due=[{"nominal_due_date": date(2025, 3, 1), "due_date": date(2025, 3, 3), "amount_minor": 100}],
    )
    assert case.plan(date(2025, 4, 1))["ots_months"] == 1
    assert case.plan(date(2025, 4, 1))["days_past_due"] == 29


def test_other_cadences_have_no_months_and_paid_monthly_plans_have_none_past_due(make) -> None:
    assert months(make, [date(2025, 1, 1), date(2025, 2, 1)], {"cadence": "OTHER"}) == (None, None)
    assert months(make, [date(2025, 7, 1), date(2025, 8, 1)]) == (0, 0)
