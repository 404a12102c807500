"""Business days of named calendars."""

from datetime import date, timedelta

import polars as pl
import pytest

from transforms.calendars.business_days import UnknownCalendarError, business_days, check_calendar, holiday_dates

WEEKEND = (6, 7)


def dates(*days: date | None) -> pl.Series:
    return pl.Series(days, dtype=pl.Date)


@pytest.mark.parametrize("name", ["NL", "US", "US-NY", "NYSE", "ECB"])
def test_countries_subdivisions_and_markets_are_calendars(name) -> None:
    check_calendar(name)
    assert holiday_dates(name, 2026, 2026)


@pytest.mark.parametrize("name", ["", "XX", "US-ZZ", "NYSE-NY", "nl"])
def test_an_unknown_calendar_is_refused_by_name(name) -> None:
    with pytest.raises(UnknownCalendarError, match="calendar"):
        business_days(name, WEEKEND, date(2026, 1, 1), date(2026, 2, 1))


def test_kings_day_and_easter_close_the_netherlands() -> None:
    """Good Friday, Easter Monday and King's Day of 2026, between two Wednesdays."""
    days = business_days("NL", WEEKEND, date(2026, 1, 1), date(2026, 12, 31))
    closed = dates(date(2026, 4, 6), date(2026, 4, 27), date(2026, 12, 25), date(2026, 4, 4), date(2026, 4, 5))
    assert not days.contains(closed).any()
    assert days.between(dates(date(2026, 4, 22)), dates(date(2026, 4, 29))).to_list() == [4]


def test_a_saturday_holiday_is_observed_on_friday_in_the_united_states_and_not_by_the_federal_reserve() -> None:
    friday = dates(date(2026, 7, 3))
    year = (date(2026, 1, 1), date(2026, 12, 31))
    assert business_days("US", WEEKEND, *year).contains(friday).to_list() == [False]
    assert business_days("FED", WEEKEND, *year).contains(friday).to_list() == [True]


def test_a_friday_and_saturday_weekend_counts_sunday() -> None:
    days = business_days("US", (5, 6), date(2026, 3, 1), date(2026, 3, 31))
    assert days.contains(dates(date(2026, 3, 6), date(2026, 3, 7), date(2026, 3, 8))).to_list() == [False, False, True]


def test_a_closed_day_of_ones_own_is_no_business_day() -> None:
    year = (date(2026, 1, 1), date(2026, 12, 31))
    eve = date(2026, 12, 24)  # a Thursday that neither country closes
    own = business_days("NL", WEEKEND, *year, closed=(eve, date(2026, 12, 26)))
    assert business_days("NL", WEEKEND, *year).contains(dates(eve)).to_list() == [True]
    assert own.contains(dates(eve)).to_list() == [False]
    # 22 and 23 December; Christmas, the 26th (a Saturday) and the 27th are closed anyway
    assert own.between(dates(date(2026, 12, 21)), dates(date(2026, 12, 27))).to_list() == [2]


def test_the_count_excludes_the_first_day_and_includes_the_last() -> None:
    days = business_days("US", WEEKEND, date(2026, 3, 1), date(2026, 3, 31))
    monday = date(2026, 3, 9)
    counted = days.between(
        dates(monday, monday, monday, None), dates(monday, monday + timedelta(days=1), date(2026, 3, 2), monday)
    )
    assert counted.to_list() == [0, 1, 0, None]


def test_counts_agree_with_counting_day_by_day_over_a_leap_year() -> None:
    first, last = date(2023, 12, 25), date(2025, 1, 10)
    days = business_days("NL", WEEKEND, first, last)
    closed = set(holiday_dates("NL", 2023, 2025))
    expected, open_days = [], 0
    spans = (last - first).days
    for step in range(1, spans + 1):
        day = first + timedelta(days=step)
        open_days += day.isoweekday() < 6 and day not in closed
        expected.append(open_days)
    found = days.between(
        dates(*[first] * spans), dates(*(first + timedelta(days=step) for step in range(1, spans + 1)))
    )
    assert found.to_list() == expected


def test_days_outside_the_range_count_as_its_ends() -> None:
    days = business_days("US", WEEKEND, date(2026, 1, 1), date(2026, 12, 31))
    assert days.between(dates(date(1800, 1, 1)), dates(date(2025, 12, 31))).to_list() == [0]
    assert days.between(dates(date(2026, 12, 31)), dates(date(2200, 1, 1))).to_list() == [0]
