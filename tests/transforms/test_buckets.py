"""Bucket sets: shipped ones, own ones, refused ones, and the sums over them."""

from datetime import date

import polars as pl
import pytest

from schemas.rules import Rules
from transforms.aging import aging
from transforms.buckets import BucketError, bucket_set


@pytest.mark.parametrize(
    ("name", "days", "label"),
    [
        ("AR", 0, "0"), ("AR", 1, "1-30"), ("AR", 30, "1-30"), ("AR", 31, "31-60"), ("AR", 150, "121-150"),
        ("AR", 151, "151-180"), ("AR", 365, "181-365"), ("AR", 366, "366+"), ("AR", 9999, "366+"),
        ("IFRS", 30, "0-30"), ("IFRS", 31, "31-90"), ("IFRS", 90, "31-90"), ("IFRS", 91, "91+"),
        ("0-9, 10+", 10, "10+"),
    ],
)  # fmt: skip
def test_days_fall_into_closed_ranges(name, days, label) -> None:
    assert bucket_set(name).label(pl.Series([days])).to_list() == [label]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1-30,31+", "starts at 1"),
        ("0-30,32+", "gap"),
        ("0-30,30+", "overlaps"),
        ("0-30,31-60", "open"),
        ("0+,1+", "open"),
        ("0,5-3,6+", "gap"),
        ("0-30,x", "not a range"),
        ("weeks:0,1+", "weeks"),
        ("", "not a range"),
    ],
)
def test_an_unsound_set_is_refused_with_its_reason(text, why) -> None:
    with pytest.raises(BucketError, match=why):
        bucket_set(text)


def test_a_set_of_months_leaves_plans_without_months_apart(make) -> None:
    case = make.case(
        plan=[{}, {}],
        due=[
            {"plan_no": 0, "due_date": date(2025, 3, 10), "amount_minor": 100},
            {"plan_no": 0, "due_date": date(2025, 4, 10), "amount_minor": 100},
            {"plan_no": 1, "due_date": date(2025, 3, 10), "amount_minor": 100},
        ],
    )
    day = date(2025, 5, 9)
    assert case.at(day, Rules(bucket_set="MONTHS")).plans["bucket"].to_list() == ["1", "none"]
    assert case.at(day, Rules(bucket_set="MONTHS_MBA")).plans["bucket"].to_list() == ["2", "none"]


def test_aging_sums_to_the_totals_of_plans_in_force_per_currency(make) -> None:
    day = date(2025, 6, 30)
    currencies = ["EUR", "USD", "JPY"]
    plans = [{"currency": currencies[number % 3], "is_active": True} for number in range(30)]
    plans[4] |= {"is_active": False, "ended_on": date(2025, 2, 1)}
    due = [
        {"plan_no": number, "term_id": f"{number}-{step}", "due_date": date(2025, 1 + (number + step) % 12, 5), "amount_minor": 1000 + number}
        for number in range(30)
        for step in range(4)
    ]  # fmt: skip
    positions = make.case(plan=plans, due=due).at(day)
    table = aging(positions.plans, rules={"p": Rules()})
    in_force = positions.plans.filter("is_in_force")
    assert in_force.height == 29
    for name in ("outstanding_minor", "overdue_minor", "amount_due_minor"):
        by_currency = dict(table.group_by("currency").agg(pl.col(name).sum()).iter_rows())
        assert by_currency == dict(in_force.group_by("currency").agg(pl.col(name).sum()).iter_rows())
    assert table["plans"].sum() == 29
    assert table["terms"].sum() == in_force["open_terms_due"].sum()
    order = ["0", "1-30", "31-60", "61-90", "91-120", "121-150", "151-180"]
    euros = table.filter(pl.col("currency") == "EUR")["bucket"].to_list()
    assert euros == sorted(euros, key=order.index)


def test_an_empty_portfolio_has_an_empty_aging(make) -> None:
    positions = make.case(plan=[]).at(date(2025, 6, 30))
    assert aging(positions.plans, rules={}).is_empty()
