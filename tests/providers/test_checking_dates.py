"""Dates as providers and clerks write them: both spellings of RFC 3339, and one range of years."""

from datetime import date

import pytest

from providers.checking import day_of


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("2026-01-31T10:00:00Z", date(2026, 1, 31)),
        ("2026-01-31t10:00:00.1234567z", date(2026, 1, 31)),
        ("2016-12-31T23:59:60Z", date(2016, 12, 31)),
        ("2016-12-31t23:59:60.25+02:00", date(2016, 12, 31)),
        ("1900-01-01", date(1900, 1, 1)),
        ("2999-12-31T23:59:59Z", date(2999, 12, 31)),
    ],
)
def test_both_spellings_of_a_timestamp_name_its_day(written, day):
    assert day_of(written) == day


@pytest.mark.parametrize("written", ["1899-12-31", "3000-01-01", "9999-12-31T00:00:00Z", "0000-01-01", "soon", 5, None])
def test_what_names_no_day_of_plans_names_none(written):
    assert day_of(written) is None
