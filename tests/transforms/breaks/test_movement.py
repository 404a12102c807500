"""The open breaks of a day are those of the day before, plus what came, less what went: counted by hand and over random lives."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.results import ACCEPTANCES, BREAK_REGISTER, BREAKS, CHECK_RESULTS
from transforms.breaks import life
from transforms.breaks.movement import Movement, movement

DAY = date(2026, 6, 30)
NAMES = "abcde"


def breaks(sizes: dict[str, int]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "provider": "one", "tenant_id": "t", "plan_id": name, "term_id": None, "payment_id": None, "account_id": "L",
            "code": "TOTAL_DIFF", "reason": "", "side": "provider", "kind": "real", "declared_severity": "medium",
            "least_severity": None, "expected": "0", "actual": str(size), "difference_minor": size,
            "difference_days": None, "break_currency": "EUR", "explanation": "One sentence.",
        }
        for name, size in sizes.items()
    ]  # fmt: skip
    return BREAKS.gate(pl.DataFrame(rows, schema=dict(BREAKS.dtypes)))


PRINTS = dict(zip(NAMES, life.identified(breaks(dict.fromkeys(NAMES, 1)))["fingerprint"], strict=True))


def accepted(*terms: tuple[str, date | None, int | None]) -> pl.DataFrame:
    rows = [(PRINTS[name], "anna", "known", until, most) for name, until, most in terms]
    return pl.DataFrame(rows, schema=dict(ACCEPTANCES.dtypes), orient="row")


def evaluated(*, complete: bool) -> pl.DataFrame:
    row = ("a_check", "TOTAL_DIFF", "", "one", "t", 1, 0, 0, complete)
    return pl.DataFrame([row], schema=dict(CHECK_RESULTS.dtypes), orient="row")


def run(
    register: pl.DataFrame, sizes: dict[str, int], given_terms: pl.DataFrame, on: date, *, complete: bool = True
) -> tuple[Movement, pl.DataFrame]:
    shown, after = life.live(
        breaks(sizes), register, as_of=on, evaluated=evaluated(complete=complete), acceptances=given_terms
    )
    return movement(register, shown, after), after


def test_each_way_in_and_out_of_the_open_breaks_is_counted_once() -> None:
    nothing = accepted()
    first, register = run(BREAK_REGISTER.empty(), {"a": 10, "b": 10, "c": 10}, nothing, DAY)
    assert first == Movement(0, 3, 0, 0, 0, 0, 3)
    terms = accepted(("b", None, 12), ("d", DAY + timedelta(days=2), None))
    second, register = run(register, {"a": 10, "b": 11, "d": 5}, terms, DAY + timedelta(days=1))
    assert second == Movement(3, 0, 0, 1, 1, 0, 1)  # c resolved, b accepted, d accepted from its first day on
    third, register = run(register, {"a": 10, "b": 13, "c": 10, "d": 5}, terms, DAY + timedelta(days=2))
    assert third == Movement(1, 0, 1, 0, 0, 1, 3)  # c is back, b grew above its maximum
    fourth, register = run(register, {"d": 5}, terms, DAY + timedelta(days=3), complete=False)
    assert fourth == Movement(3, 0, 0, 0, 0, 1, 4)  # nothing was examined, so nothing is resolved; d has expired
    fifth, _ = run(register, {}, terms, DAY + timedelta(days=4))
    assert fifth == Movement(4, 0, 0, 4, 0, 0, 0)
    assert all(one.holds for one in (first, second, third, fourth, fifth))


def test_an_accepted_break_that_goes_leaves_the_open_ones_as_they_are() -> None:
    terms = accepted(("a", None, None))
    _, register = run(BREAK_REGISTER.empty(), {"a": 1, "b": 1}, terms, DAY)
    moved, _ = run(register, {"b": 1}, terms, DAY + timedelta(days=1))
    assert moved == Movement(1, 0, 0, 0, 0, 0, 1)


TERMS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.none() | st.sampled_from([DAY + timedelta(days=n) for n in range(6)]),
              st.none() | st.integers(0, 3)),
    unique_by=lambda term: term[0],
)  # fmt: skip
DAYS = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3)), TERMS, st.booleans()), min_size=1, max_size=6
)


@settings(deadline=None, max_examples=40)
@given(DAYS)
def test_the_numbers_meet_on_every_day_of_every_life(days: list[Any]) -> None:
    register = BREAK_REGISTER.empty()
    for place, (sizes, terms, complete) in enumerate(days):
        moved, register = run(register, sizes, accepted(*terms), DAY + timedelta(days=place), complete=complete)
        assert moved.holds, str(moved)


@pytest.mark.parametrize("lost", ["NEW", "ONGOING", "RESOLVED"])
def test_a_break_that_is_lost_on_its_way_does_not_go_unseen(lost: str) -> None:
    _, register = run(BREAK_REGISTER.empty(), {"a": 1, "b": 1}, accepted(), DAY)
    shown, after = life.live(
        breaks({"a": 1, "c": 1}), register, as_of=DAY + timedelta(days=1), evaluated=evaluated(complete=True)
    )
    assert movement(register, shown, after).holds
    without = shown.filter(pl.col("break_state") != lost)
    moved = movement(
        register, without, after.join(shown.filter(pl.col("break_state") == lost), on="fingerprint", how="anti")
    )
    assert moved.holds == (lost == "NEW")  # nobody knew of it: there is nothing it could be missed from
    assert movement(register, without, after).holds == (lost == "ONGOING")  # still in the register, it is open
