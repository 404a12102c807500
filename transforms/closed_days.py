"""Which days a schedule avoids, and what they are called.

A calendar is data with a name and a version: the same Saturday holiday is observed on
Friday by one and not at all by another. Counting business days is not done here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.metadata import version

import holidays
import polars as pl

from transforms.calendars import WEEKEND, check_calendar

UNNAMED = "closed day"
"""What a closed day of one's own is called that was given no name."""

OwnDays = tuple[tuple[date, str], ...]


def own_days(given: Iterable[str | date]) -> OwnDays:
    """Return closed days of one's own, each with its name, in order of their dates.

    Args:
        given: `2026-12-24`, `2026-12-24 Christmas Eve`, or dates.

    Raises:
        ValueError: one of them is no date of the calendar, or is given twice; the message names it.
    """
    days: dict[date, str] = {}
    for each in given:
        day, name = _own_day(each)
        if day in days:
            raise ValueError(f"{day} is given twice; name each closed day once")
        days[day] = name
    return tuple(sorted(days.items()))


def _own_day(given: str | date) -> tuple[date, str]:
    text = given.isoformat() if isinstance(given, date) else str(given)
    written, _, name = text.strip().partition(" ")
    try:
        return date.fromisoformat(written), " ".join(name.split()) or UNNAMED
    except ValueError:
        raise ValueError(
            f"{text!r} is no closed day; write a date and, if you like, its name: '2026-12-24 Christmas Eve'"
        ) from None


@dataclass(frozen=True, slots=True)
class Calendar:
    """Weekend days, the holidays of a named calendar, and days of one's own.

    Attributes:
        name: Name in the holidays library (`NL`, `US-NY`, `NYSE`); empty for none.
        weekend: ISO weekday numbers, Monday is 1.
        own_days: Further holidays, each with its name; they win over the library's.
    """

    name: str = ""
    weekend: tuple[int, ...] = WEEKEND
    own_days: OwnDays = ()

    @property
    def label(self) -> str:
        """Name and version, so that a date can be told from one made with another release."""
        parts = [f"{self.name} (holidays {_release()})"] if self.name else []
        parts += [f"{len(self.own_days)} own closed day{'s' * (len(self.own_days) > 1)}"] if self.own_days else []
        return " + ".join(parts) or "no holidays"

    def holidays(self, first_year: int, last_year: int) -> pl.DataFrame:
        """Return `day, holiday`, one row per holiday of these years, in order.

        Raises:
            UnknownCalendarError: the holidays library has no calendar of this name.
        """
        named = dict(item for year in range(first_year, last_year + 1) for item in _named_days(self.name, year))
        named |= dict(self.own_days)
        rows = sorted((day, name) for day, name in named.items() if first_year <= day.year <= last_year)
        return pl.DataFrame(rows, schema={"day": pl.Date, "holiday": pl.String}, orient="row")


@lru_cache(maxsize=1)
def _release() -> str:
    return version("holidays")


@lru_cache(maxsize=4096)
def _named_days(name: str, year: int) -> tuple[tuple[date, str], ...]:
    if not name:
        return ()
    check_calendar(name)
    if name in holidays.list_supported_financial(include_aliases=True):
        return tuple(holidays.financial_holidays(name, years=year).items())
    country, _, subdivision = name.partition("-")
    return tuple(holidays.country_holidays(country, subdiv=subdivision or None, years=year).items())
