"""How plans moved between buckets: which row each is in, and which share of a row rolled or was cured."""

from collections import Counter
from datetime import date
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.results import PLAN_POSITIONS
from transforms.outlook.roll import STANDING, earlier_dates, roll

FROM = date(2026, 2, 20)
BUCKETS = ("0", "1-30", "31-60", "61-90")
PLAIN = {"provider": "p", "tenant_id": "t", "currency": "EUR", "is_in_force": True, "flags": "", "status": "ACTIVE"}


def _plans(*rows: tuple[str, int, dict[str, Any]]) -> pl.DataFrame:
    full = [
        PLAIN
        | {"plan_no": number, "plan_id": f"P{number}", "bucket": bucket, "outstanding_minor": money}
        | {"bucket_no": BUCKETS.index(bucket) if bucket in BUCKETS else None}
        | more
        for number, (bucket, money, more) in enumerate(rows)
    ]
    filled = [{name: row.get(name) for name in PLAN_POSITIONS.columns} for row in full]
    return pl.DataFrame(filled, schema=dict(PLAN_POSITIONS.dtypes))


def _roll(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    return roll(before.select(STANDING), now, from_as_of=FROM)


def _cells(found: pl.DataFrame) -> dict[tuple[str, str], tuple[int, int]]:
    return {(a, b): (n, m) for a, b, n, m in found.select("from_bucket", "to_bucket", "plans", "opening_minor").rows()}


def test_a_quarter_of_the_opening_rolls_and_three_quarters_are_cured() -> None:
    before = _plans(*(("1-30", money, {}) for money in (120_000, 50_000, 30_000)))
    now = _plans(("0", 90_000, {}), ("31-60", 50_000, {}), ("0", 0, {"status": "FINISHED", "is_in_force": False}))
    found = _roll(before, now)
    assert _cells(found) == {
        ("1-30", "0"): (1, 120_000),
        ("1-30", "31-60"): (1, 50_000),
        ("1-30", "PAID_OFF"): (1, 30_000),
    }
    assert found.select("roll_rate_amount_ppm", "cure_rate_amount_ppm").unique().rows() == [(250_000, 750_000)]
    assert found.select("roll_rate_count_ppm", "cure_rate_count_ppm").unique().rows() == [(333_333, 666_667)]


def test_a_plan_is_where_it_is_now_or_paid_off_or_cancelled_or_gone() -> None:
    ends = [
        {"outcome": "KEPT"},
        {"outcome": "KEPT", "flags": "VANISHED", "is_in_force": False},
        {"outcome": "AT_RISK", "flags": "PAUSED;VANISHED", "is_in_force": False},
        {"outcome": "CANCELLED", "status": "DEACTIVATED", "is_in_force": False},
        {"outcome": "SUPERSEDED", "status": "SUPERSEDED", "is_in_force": False},
    ]
    found = _roll(_plans(*(("0", 1, {}) for _ in ends)), _plans(*(("0", 0, end) for end in ends)))
    assert _cells(found) == {("0", "PAID_OFF"): (2, 2), ("0", "VANISHED"): (1, 1), ("0", "CANCELLED"): (2, 2)}


def test_plans_that_came_into_force_are_new_with_what_they_owe_now_and_in_no_rate() -> None:
    before = _plans(("0", 70, {"is_in_force": False}))
    found = _roll(before, _plans(("1-30", 50, {}), ("0", 9, {}), ("0", 5, {"is_in_force": False})))
    assert _cells(found) == {("NEW", "1-30"): (1, 50), ("NEW", "0"): (1, 9)}
    assert found.select(pl.col("^.*_rate_.*$").is_null().all()).row(0) == (True,) * 4


def test_a_row_with_nothing_outstanding_has_rates_by_count_alone_and_one_without_bucket_none() -> None:
    before = _plans(("1-30", 0, {}), ("none", 5, {}))
    found = _roll(before, _plans(("0", 0, {}), ("none", 5, {})))
    rates = {row[0]: row[1:] for row in found.select("from_bucket", pl.col("^.*_rate_.*$")).rows()}
    assert rates == {"1-30": (0, None, 1_000_000, None), "none": (None,) * 4}


def test_the_dates_followed_are_the_newest_and_the_newest_a_month_before() -> None:
    march = [date(2026, 3, day) for day in (1, 2, 10, 30)]
    assert earlier_dates(march, date(2026, 4, 1)) == [date(2026, 3, 2), date(2026, 3, 30)]
    assert earlier_dates(march, date(2026, 3, 10)) == [date(2026, 3, 2)]
    assert earlier_dates(march, date(2026, 5, 1)) == [date(2026, 3, 30)]
    assert earlier_dates(march, date(2026, 3, 1)) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(BUCKETS), st.sampled_from(BUCKETS), st.integers(0, 99), st.booleans(), st.booleans()),
        max_size=12,
    )
)
def test_rows_add_up_to_the_plans_of_the_earlier_date_and_columns_to_those_in_force_now(
    moves: list[tuple[str, str, int, bool, bool]],
) -> None:
    before = _plans(*((was, money, {"is_in_force": there}) for was, _, money, there, _ in moves))
    now = _plans(*((new, money + 1, {"is_in_force": there}) for _, new, money, _, there in moves))
    cells = _cells(_roll(before, now))
    rows, columns = Counter(), Counter()
    for (start, end), (plans, _) in cells.items():
        rows[start] += plans
        columns[end] += plans
    assert {start: count for start, count in rows.items() if start != "NEW"} == Counter(
        was for was, _, _, there, _ in moves if there
    )
    assert {end: count for end, count in columns.items() if end in BUCKETS} == Counter(
        new for _, new, _, _, there in moves if there
    )
