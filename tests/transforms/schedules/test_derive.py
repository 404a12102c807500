"""A monthly rule becomes terms: on the anchor day, from the start on, until the balance is used up."""

from calendar import monthrange
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.schedules.derive import count_terms, monthly_terms


def terms(starts_on: date, anchor_day: int, total: int, each: int) -> list[tuple[str, str, int, date, int]]:
    plan = {
        "plan_id": ["P"],
        "starts_on": [starts_on],
        "anchor_day": [anchor_day],
        "total_minor": [total],
        "each_minor": [each],
    }
    return monthly_terms(pl.DataFrame(plan)).rows()


@pytest.mark.parametrize(
    ("starts_on", "anchor_day", "days"),
    [
        (date(2025, 1, 31), 31, [date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 31), date(2025, 4, 30)]),
        (date(2024, 1, 30), 30, [date(2024, 1, 30), date(2024, 2, 29), date(2024, 3, 30), date(2024, 4, 30)]),
        (date(2025, 2, 28), 31, [date(2025, 2, 28), date(2025, 3, 31), date(2025, 4, 30), date(2025, 5, 31)]),
        (date(2025, 1, 31), 30, [date(2025, 2, 28), date(2025, 3, 30), date(2025, 4, 30), date(2025, 5, 30)]),
        (date(2025, 11, 15), 10, [date(2025, 12, 10), date(2026, 1, 10), date(2026, 2, 10), date(2026, 3, 10)]),
        (date(2025, 11, 15), 15, [date(2025, 11, 15), date(2025, 12, 15), date(2026, 1, 15), date(2026, 2, 15)]),
    ],
)
def test_the_first_term_is_the_first_anchor_day_on_or_after_the_start(starts_on, anchor_day, days):
    assert [row[3] for row in terms(starts_on, anchor_day, 400, 100)] == days


def test_the_last_term_is_what_is_left():
    assert [row[4] for row in terms(date(2025, 1, 1), 1, 100_000, 30_000)] == [30_000, 30_000, 30_000, 10_000]


def test_a_balance_used_up_exactly_leaves_no_empty_term():
    assert [row[4] for row in terms(date(2025, 1, 1), 1, 90_000, 30_000)] == [30_000] * 3


def test_a_plan_of_nothing_has_no_terms():
    assert terms(date(2025, 1, 1), 1, 0, 30_000) == []


def test_no_plans_have_no_terms():
    shape = {
        "plan_id": pl.String,
        "starts_on": pl.Date,
        "anchor_day": pl.Int64,
        "total_minor": pl.Int64,
        "each_minor": pl.Int64,
    }
    assert monthly_terms(pl.DataFrame(schema=shape)).columns == [
        "plan_id",
        "term_id",
        "term_sequence",
        "due_date",
        "amount_minor",
    ]


def test_term_ids_have_at_least_three_digits():
    ids = [row[0:2] for row in terms(date(2025, 1, 1), 1, 1000, 1)]
    assert (ids[0], ids[98], ids[999]) == (("P", "P-001"), ("P", "P-099"), ("P", "P-1000"))


def test_plans_keep_their_order_and_their_own_terms():
    plans = {
        "plan_id": ["B", "A"],
        "starts_on": [date(2025, 1, 1)] * 2,
        "anchor_day": [5, 6],
        "total_minor": [3, 2],
        "each_minor": [2, 2],
    }
    assert [(row[0], row[3].day, row[4]) for row in monthly_terms(pl.DataFrame(plans)).rows()] == [
        ("B", 5, 2),
        ("B", 5, 1),
        ("A", 6, 2),
    ]


@pytest.mark.parametrize(
    ("total", "each", "count"), [(100, 30, 4), (90, 30, 3), (0, 30, 0), (-5, 30, 0), (5, 0, None), (5, -1, None)]
)
def test_the_count_is_the_total_over_the_payment_rounded_up(total, each, count):
    assert pl.select(count_terms(pl.lit(total), pl.lit(each))).item() == count


@settings(deadline=None)
@given(
    st.dates(date(1999, 1, 1), date(2060, 12, 31)),
    st.integers(1, 31),
    st.integers(0, 5000),
    st.integers(1, 700),
)
def test_terms_agree_with_counting_months_one_by_one(starts_on, anchor_day, total, each):
    expected, left, year, month = [], total, starts_on.year, starts_on.month
    while left > 0:
        day = date(year, month, min(anchor_day, monthrange(year, month)[1]))
        if day >= starts_on:
            expected.append((day, min(each, left)))
            left -= each
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    assert [row[3:5] for row in terms(starts_on, anchor_day, total, each)] == expected
