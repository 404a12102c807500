"""Business days of named calendars, counted through lookup arrays.

A calendar is a name of the holidays library (`NL`, `US`, `US-NY`, `NYSE`) and a
set of weekend days. Nothing here asks what day it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays
import polars as pl
from holidays.registry import EntityLoader

from schemas.words import WEEKDAYS

WEEKEND = (6, 7)
"""ISO weekday numbers of Saturday and Sunday."""

MONEY_CALENDARS = {
    "FED": "days the Federal Reserve is closed: for US payments (ACH)",
    "ECB": "days TARGET is closed: for euro payments (SEPA)",
}
"""Calendars that money moves by; those of countries (US, NL) are for offices and have other days."""

_MARKETS = frozenset(EntityLoader.get_financial_codes())
_COUNTRIES = frozenset(EntityLoader.get_country_codes())
"""Names the holidays library has a calendar for; its own lists load every calendar to tell its subdivisions."""

EARLIEST = date(1900, 1, 1)
"""Days before this one are counted from it: no calendar says anything about them."""


class UnknownCalendarError(ValueError):
    """The holidays library has no calendar of that name."""

    def __init__(self, name: str) -> None:
        """Say which name, and what a name may be."""
        super().__init__(
            f"calendar {name!r} is unknown to the holidays library; "
            "use FED for US payments (ACH), ECB for euro payments (SEPA), a country (NL), "
            "a country and its subdivision (US-NY) or a market (NYSE)"
        )


def weekday_number(given: str | int) -> int:
    """Return the ISO number of a weekday: of its English name, of its first three letters, or itself.

    Raises:
        ValueError: it is none; the message gives it back.
    """
    name = str(given).strip().lower()
    numbers = [number for number, full in enumerate(WEEKDAYS, 1) if name in {full, full[:3], str(number)}]
    if not numbers:
        raise ValueError(f"{given!r} is no weekday; give a name (sun or Sunday) or its ISO number (7)")
    return numbers[0]


def weekend_days(given: Iterable[str | int]) -> tuple[int, ...]:
    """Return the ISO numbers of the days of a weekend, in order; none for an empty list or the one word `none`.

    Raises:
        ValueError: one of them is no weekday, or no working day is left.
    """
    listed = [each for each in given if str(each).strip()]
    if [str(each).strip().lower() for each in listed] == ["none"]:
        return ()
    days = tuple(sorted({weekday_number(each) for each in listed}))
    if len(days) == len(WEEKDAYS):
        raise ValueError("all seven days are a weekend; leave out the days on which you work")
    return days


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """Running count of business days from `first` on, one entry per day: days between two dates are one count less another."""

    first: date
    counts: pl.Series

    def between(self, after: pl.Series, until: pl.Series) -> pl.Series:
        """Return the number of business days in (`after`, `until`] per row; 0 where `until` is earlier, null where null."""
        days = self._count_to(until) - self._count_to(after)
        return pl.select(days.clip(lower_bound=0)).to_series()

    def contains(self, days: pl.Series) -> pl.Series:
        """Tell for each day whether it is a business day; null stays null."""
        before = pl.select(pl.lit(days) - pl.duration(days=1)).to_series().cast(pl.Date)
        return self.between(before, days) == 1

    def _count_to(self, days: pl.Series) -> pl.Expr:
        # The entry of a day is its distance from the first; days outside count as the first or the last.
        offset = pl.lit(days.cast(pl.Int64) - _number(self.first)).clip(0, len(self.counts) - 1)
        return pl.lit(self.counts).gather(offset)


def check_calendar(name: str) -> None:
    """Do nothing if `name` is a calendar of the holidays library.

    Raises:
        UnknownCalendarError: it is not.
    """
    if name in _MARKETS:
        return
    country, _, subdivision = name.partition("-")
    if country not in _COUNTRIES or (subdivision and subdivision not in getattr(holidays, country).subdivisions):
        raise UnknownCalendarError(name)


@lru_cache(maxsize=4096)
def named_holidays(name: str, year: int) -> tuple[tuple[date, str], ...]:
    """Return day and name of the holidays of calendar `name` in a year, in no order.

    Raises:
        UnknownCalendarError: the holidays library has no such calendar.
    """
    check_calendar(name)
    if name in _MARKETS:
        return tuple(holidays.financial_holidays(name, years=year).items())
    country, _, subdivision = name.partition("-")
    return tuple(holidays.country_holidays(country, subdiv=subdivision or None, years=year).items())


def holiday_dates(name: str, first_year: int, last_year: int) -> tuple[date, ...]:
    """Return the holidays of calendar `name` in these years, in order.

    Raises:
        UnknownCalendarError: the holidays library has no such calendar.
    """
    days = (day for year in range(first_year, last_year + 1) for day, _ in named_holidays(name, year))
    return tuple(sorted(set(days)))


def business_days(
    name: str, weekend: Sequence[int], first: date, last: date, *, closed: Sequence[date] = ()
) -> BusinessDays:
    """Return the running count of business days of calendar `name` over `first` to `last`, whole years.

    Args:
        name: `NL`, `US`, `US-NY`, `NYSE`, …
        weekend: ISO weekday numbers that are never business days.
        first: First day of interest; earlier days count as this one.
        last: Last day of interest; later days count as this one.
        closed: Further days that are no business days.

    Raises:
        UnknownCalendarError: the holidays library has no such calendar.
    """
    low = max(first, EARLIEST)
    return _business_days(name, tuple(sorted(set(weekend))), tuple(closed), low.year, max(low, last).year)


@lru_cache(maxsize=32)
def _business_days(
    name: str, weekend: tuple[int, ...], own: tuple[date, ...], first_year: int, last_year: int
) -> BusinessDays:
    # One day earlier, so that 1 January can be asked for as a day of its own.
    start = date(first_year, 1, 1) - timedelta(days=1)
    days = pl.DataFrame({"day": pl.date_range(start, date(last_year, 12, 31), eager=True)})
    closed = pl.Series([*holiday_dates(name, first_year - 1, last_year), *own], dtype=pl.Date).implode()
    is_open = ~pl.col("day").dt.weekday().is_in(list(weekend)) & ~pl.col("day").is_in(closed)
    counts = days.select(is_open.cast(pl.Int64).cum_sum()).to_series()
    return BusinessDays(start, counts)


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)).days
