"""Rows found by plan and place, values of plans on their rows, and numbers of words."""

import polars as pl
import pytest

from transforms.segments import Segments, numbered, rows_of

PLANS, PLACES = [7, 7, 8, 8, 8], [1, 3, 1, 2, 3]


@pytest.mark.parametrize(
    ("plan", "place", "row"),
    [
        (7, 1, 0),
        (7, 3, 1),  # a place of the plan is left out in front of it
        (8, 3, 4),
        (7, 2, None),  # left out itself: the row it would be at is of place 3
        (8, 4, None),
        (9, 1, None),
        (6, 1, None),
    ],
)
def test_a_row_is_found_by_its_plan_and_place(plan, place, row):
    wanted = pl.DataFrame({"plan": [plan, 8], "place": [place, 1]}, schema={"plan": pl.Int64, "place": pl.Int64})
    assert rows_of(pl.Series(PLANS), pl.Series(PLACES), wanted).to_list() == [row, 2]


def test_nothing_is_found_where_there_are_no_rows():
    none = pl.Series([], dtype=pl.Int64)
    assert rows_of(none, none, pl.DataFrame({"plan": [1], "place": [1]})).to_list() == [None]


@pytest.mark.parametrize("values", [[5, 5, 5], [5, None, 5], [None, None, None], [5, 6, 5]])
def test_every_row_has_the_value_of_its_plan(values):
    segments = Segments.of(pl.Series([0, 0, 1, 2]), 3)
    spread = segments.spread(pl.Series(values, dtype=pl.Int64))
    assert spread.to_list() == [values[0], *values]
    assert spread.dtype == pl.Int64


def test_rows_of_the_same_words_have_the_same_number():
    rows = pl.DataFrame({"tenant": ["b", "a", "b", "b"], "currency": ["EUR", "EUR", "USD", "EUR"]})
    kinds, number = numbered(rows)
    assert kinds.height == 3
    assert kinds[number].equals(rows)
    assert numbered(rows.clear())[1].to_list() == []
