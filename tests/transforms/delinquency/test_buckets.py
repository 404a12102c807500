"""Bucket sets: shipped ones, own ones, refused ones, and the sums over them."""

from datetime import date

import polars as pl
import pytest

from schemas.options import Options, Tolerance
from transforms.delinquency.aging import aging, aging_terms
from transforms.delinquency.buckets import BucketError, bucket_set, written


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
    known = bucket_set(name)
    assert known.label(known.number(pl.Series([days]))).to_list() == [label]


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
    assert case.at(day, Options(bucket_set="MONTHS")).plans["bucket"].to_list() == ["1", "none"]
    assert case.at(day, Options(bucket_set="MONTHS_MBA")).plans["bucket"].to_list() == ["2", "none"]


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
    table = aging(positions.plans)
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


def test_each_open_term_is_aged_by_itself_while_the_plan_lies_in_its_oldest_bucket(make) -> None:
    """Due 20 March, 29 April, 30 June and 1 July, all of 100, as of 30 June: 102, 62 and 0 days; July is not due."""
    days = [date(2025, 3, 20), date(2025, 4, 29), date(2025, 6, 30), date(2025, 7, 1)]
    due = [{"plan_no": 0, "due_date": day, "amount_minor": 100} for day in days]
    positions = make.case(plan=[{}], due=due).at(date(2025, 6, 30))
    assert aging(positions.plans).select("bucket", "bucket_no", "plans", "amount_due_minor").rows() == [
        ("91-120", 4, 1, 300)
    ]
    assert aging_terms(positions.aged).select("bucket", "bucket_no", "terms", "plans", "outstanding_minor").rows() == [
        ("0", 0, 1, 1, 100), ("61-90", 3, 1, 1, 100), ("91-120", 4, 1, 1, 100)
    ]  # fmt: skip


def test_satisfied_terms_and_plans_out_of_force_have_no_age(make) -> None:
    plans = [{}, {"is_active": False, "ended_on": date(2025, 6, 1)}]
    due = [{"plan_no": n, "term_id": f"{n}", "due_date": date(2025, 5, 30), "amount_minor": 100} for n in (0, 1)]
    paid = [{"account_no": 0, "amount_minor": 95, "effective_date": date(2025, 6, 2)}]
    case = make.case(plan=plans, due=due, paid=paid)
    exact = aging_terms(case.at(date(2025, 6, 30)).aged)
    assert exact.select("bucket", "terms", "outstanding_minor").rows() == [("31-60", 1, 5)]
    tolerant = Options(tolerance=Tolerance.parse("FFIEC90"))
    assert aging_terms(case.at(date(2025, 6, 30), tolerant).aged).is_empty()


def test_terms_of_a_monthly_plan_are_aged_in_months_where_the_set_counts_them(make) -> None:
    """As of 9 May: terms of 10 March and 10 April are 1 and 0 full months old, 2 and 1 by the mortgage bankers' count."""
    days = [date(2025, 3, 10), date(2025, 4, 10), date(2025, 5, 10)]
    due = [{"plan_no": 0, "due_date": day, "amount_minor": 100} for day in days]
    due += [{"plan_no": 1, "due_date": date(2025, 3, 10), "amount_minor": 7}]
    case = make.case(plan=[{}, {}], due=due)
    for name, labels in (("MONTHS", ["0", "1", "none"]), ("MONTHS_MBA", ["1", "2", "none"])):
        aged = aging_terms(case.at(date(2025, 5, 9), Options(bucket_set=name)).aged)
        assert aged["bucket"].to_list() == labels
        assert aged["bucket_no"].to_list() == [*map(int, labels[:2]), None]


@pytest.mark.parametrize(
    ("ranges", "text"),
    [
        ([[0, 0], [1, 30], [31, 60], [61]], "0,1-30,31-60,61+"),
        ([[0, 9], [10]], "0-9,10+"),
        ([[0]], "0+"),
    ],
)
def test_ranges_of_ones_own_are_read_as_a_set(ranges, text) -> None:
    assert written(ranges) == text


@pytest.mark.parametrize(
    ("ranges", "why"),
    [
        ([[1, 30], [31]], "starts at 1"),
        ([[0, 30], [32]], "gap"),
        ([[0, 30], [30]], "overlaps"),
        ([[0, 30], [31, 60]], "open"),
        ([[0], [1]], "open"),
        ([[0, 3], [4], [5, 9], [10]], "open"),
        ([[0, 0], [5, 3], [6]], "gap"),
        ([[0, 0], [1, 0], [1]], "empty"),
        ([[0, 1, 2], [3]], "is none"),
        ([[], [0]], "is none"),
        ([[-5, 0], [1]], "not a range"),
    ],
)
def test_unsound_ranges_of_ones_own_are_refused_with_their_reason(ranges, why) -> None:
    with pytest.raises(BucketError, match=why):
        written(ranges)


def test_an_empty_portfolio_has_an_empty_aging(make) -> None:
    positions = make.case(plan=[]).at(date(2025, 6, 30))
    assert aging(positions.plans).is_empty()
    assert aging_terms(positions.aged).is_empty()
