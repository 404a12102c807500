"""Pairs of the provider's terms with the expected ones: four passes, each term used once, nothing guessed."""

from collections import Counter
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.schedules import PAIRS
from transforms.conformance.pairing import Paired
from transforms.conformance.pairing import pair as paired

JULY_1 = date(2026, 7, 1)
Terms = list[tuple[int, int]]


def side(*plans: Terms | None, place: str, when: str, amount: str) -> pl.DataFrame:
    """Terms as (day of July, amount), in date order within each plan."""
    rows = [
        (plan, number, JULY_1 + timedelta(days=day - 1), minor)
        for plan, terms in enumerate(plans)
        for number, (day, minor) in enumerate(sorted(terms or [], key=lambda term: term[0]), 1)
    ]
    schema = {"plan_no": pl.Int64, place: pl.Int64, when: pl.Date, amount: pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def theirs(*plans: Terms) -> pl.DataFrame:
    return side(*plans, place="term_no", when="due_date", amount="amount_minor")


def ours(*plans: Terms) -> pl.DataFrame:
    return side(*plans, place="sequence", when="expected_due_date", amount="expected_amount_minor")


def reach(plans: int, days: int = 7) -> pl.DataFrame:
    return pl.DataFrame({"plan_no": range(plans), "reach_days": [days] * plans})


def pair(terms: pl.DataFrame, expected: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """`PAIRS` of all plans: of those that do not agree in every term as told, of the others from row to row."""
    both = paired(terms, expected, plans)
    assert both.at.len() == terms.height
    held = beside(terms, expected, both)
    told = both.apart.drop_nulls(["term_no", "sequence"]).select("plan_no", "term_no", "sequence")
    of_apart = held.filter(pl.col("plan_no").is_in(both.apart["plan_no"].implode()))
    assert sorted(of_apart.select(told.columns).rows()) == sorted(told.rows())
    alike = held.filter(pl.col("plan_no").is_in(both.alike.implode()))
    assert alike.height + of_apart.height == held.height
    assert not set(both.alike) & set(both.apart["plan_no"])
    assert alike.height == terms.filter(pl.col("plan_no").is_in(both.alike.implode())).height
    return pl.concat([alike, PAIRS.gate(both.apart)]).sort("plan_no", "term_no", "sequence", nulls_last=True)


def beside(terms: pl.DataFrame, expected: pl.DataFrame, both: Paired) -> pl.DataFrame:
    """`PAIRS` of the rows that are beside one another."""
    rows = [
        (*terms.row(here), *expected.select("sequence", "expected_due_date", "expected_amount_minor").row(there))
        for here, there in enumerate(both.at)
        if there is not None
    ]
    told = [
        (
            *(plan, term, sequence),
            "DATE" if price is None else "DATE_AND_AMOUNT",
            (day - due).days,
            None if price is None else minor - price,
        )
        for plan, term, day, minor, sequence, due, price in rows
    ]
    return pl.DataFrame(told, schema=dict(PAIRS.dtypes), orient="row")


def found(
    provider: Terms, expected: Terms, days: int = 7
) -> list[tuple[int | None, int | None, str, int | None, int | None]]:
    pairs = pair(theirs(provider), ours(expected), reach(1, days))
    return pairs.drop("plan_no").rows()


def test_terms_of_one_date_and_amount_are_pairs() -> None:
    assert found([(1, 50), (8, 50)], [(1, 50), (8, 50)]) == [
        (1, 1, "DATE_AND_AMOUNT", 0, 0),
        (2, 2, "DATE_AND_AMOUNT", 0, 0),
    ]


def test_another_amount_on_the_same_day_is_a_pair_with_a_difference() -> None:
    assert found([(1, 50), (8, 70)], [(1, 50), (8, 50)])[1] == (2, 2, "DATE", 0, 20)


def test_the_same_amount_near_by_is_a_pair_with_days_between() -> None:
    assert found([(1, 50), (11, 60)], [(1, 50), (8, 60)])[1] == (2, 2, "AMOUNT", 3, 0)


def test_beyond_reach_the_place_in_the_plan_decides() -> None:
    assert found([(1, 50), (20, 60)], [(1, 50), (8, 60)])[1] == (2, 2, "ORDINAL", 12, 0)
    assert found([(12, 60)], [(8, 60)], days=3) == [(1, 1, "ORDINAL", 4, 0)]
    assert found([(11, 60)], [(8, 60)], days=3) == [(1, 1, "AMOUNT", 3, 0)]


def test_a_term_on_one_side_only_is_missing_or_extra() -> None:
    assert found([(1, 50)], [(1, 50), (8, 50)])[1] == (None, 2, "MISSING", None, None)
    assert found([(1, 50), (8, 50)], [(1, 50)])[1] == (2, None, "EXTRA", None, None)
    assert found([], [(1, 50)]) == [(None, 1, "MISSING", None, None)]
    assert found([(1, 50)], []) == [(1, None, "EXTRA", None, None)]


def test_each_term_is_used_once_also_among_equal_ones() -> None:
    assert [row[:3] for row in found([(1, 50), (1, 50), (1, 50)], [(1, 50), (1, 50)])] == [
        (1, 1, "DATE_AND_AMOUNT"),
        (2, 2, "DATE_AND_AMOUNT"),
        (3, None, "EXTRA"),
    ]


def test_two_equally_near_candidates_are_reported_and_not_guessed() -> None:
    assert found([(10, 60)], [(8, 60), (12, 60)]) == [
        (1, None, "AMBIGUOUS", None, None),
        (None, 1, "AMBIGUOUS", None, None),
        (None, 2, "AMBIGUOUS", None, None),
    ]
    assert [row[2] for row in found([(10, 50)], [(10, 40), (10, 60)])] == ["AMBIGUOUS"] * 3


def test_the_nearer_of_two_candidates_is_taken() -> None:
    assert found([(10, 60)], [(8, 60), (11, 60)]) == [(1, 2, "AMOUNT", -1, 0), (None, 1, "MISSING", None, None)]
    assert found([(10, 50)], [(10, 10), (10, 45)])[0] == (1, 2, "DATE", 0, 5)


def test_a_nearer_pair_goes_first_and_leaves_the_rest_to_each_other() -> None:
    # 10 is as near to 8 as to 12, but 12 belongs to 13.
    assert [row[:3] for row in found([(10, 60), (13, 60)], [(8, 60), (12, 60)])] == [(1, 1, "AMOUNT"), (2, 2, "AMOUNT")]


def test_amounts_that_are_not_judged_neither_pair_nor_differ() -> None:
    expected = ours([(1, 0), (8, 0)]).with_columns(expected_amount_minor=pl.lit(None, dtype=pl.Int64))
    assert pair(theirs([(1, 50), (9, 70)]), expected, reach(1)).drop("plan_no").rows() == [
        (1, 1, "DATE", 0, None),
        (2, 2, "AMOUNT", 1, None),
    ]
    assert pair(theirs([(1, 50), (8, 70)]), expected, reach(1))["paired_by"].to_list() == ["DATE", "DATE"]


def test_plans_do_not_mix_and_plans_not_asked_for_stay_out() -> None:
    pairs = pair(theirs([(1, 50)], [(8, 60)], [(3, 1)]), ours([(8, 60)], [(8, 60)], [(3, 1)]), reach(2))
    assert pairs["plan_no"].to_list() == [0, 1]
    assert pairs["paired_by"].to_list() == ["ORDINAL", "DATE_AND_AMOUNT"]


# --- for any two schedules ----------------------------------------------------------------

plans = st.lists(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from([10, 20, 21])), max_size=6), min_size=1, max_size=4
)


@settings(max_examples=60, deadline=None)
@given(plans)
def test_a_schedule_compared_with_itself_differs_nowhere(schedule: list[Terms]) -> None:
    pairs = pair(theirs(*schedule), ours(*schedule), reach(len(schedule)))
    assert set(pairs["paired_by"]) <= {"DATE_AND_AMOUNT"}
    assert pairs.height == sum(map(len, schedule))
    assert not (pairs["difference_days"] != 0).any()


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(plans, plans)
def test_swapping_the_sides_swaps_missing_and_extra_and_the_signs_and_nothing_else(
    left: list[Terms], right: list[Terms]
) -> None:
    count = max(len(left), len(right))
    one = pair(theirs(*left), ours(*right), reach(count))
    other = pair(theirs(*right), ours(*left), reach(count))
    swapped = {"MISSING": "EXTRA", "EXTRA": "MISSING"}
    minus = [
        (
            plan,
            sequence,
            term,
            swapped.get(name, name),
            None if days is None else -days,
            None if minor is None else -minor,
        )
        for plan, term, sequence, name, days, minor in one.rows()
    ]
    assert Counter(minus) == Counter(other.rows())


@settings(max_examples=120, deadline=None)
@given(plans, plans)
def test_every_term_of_both_sides_is_used_exactly_once(left: list[Terms], right: list[Terms]) -> None:
    count = max(len(left), len(right))
    pairs = pair(theirs(*left), ours(*right), reach(count))
    provider, expected = theirs(*left).select("plan_no", "term_no"), ours(*right).select("plan_no", "sequence")
    assert sorted(pairs.drop_nulls("term_no").select("plan_no", "term_no").rows()) == sorted(provider.rows())
    assert sorted(pairs.drop_nulls("sequence").select("plan_no", "sequence").rows()) == sorted(expected.rows())
