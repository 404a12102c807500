"""Which days a schedule avoids, and what they are called.

A calendar is data with a name and a version: the same Saturday holiday is observed on
Friday by one and not at all by another. Counting business days is not done here.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.metadata import version

import holidays
import polars as pl

from transforms.calendars import WEEKEND, check_calendar


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
    own_days: tuple[tuple[date, str], ...] = ()

    @property
    def label(self) -> str:
        """Name and version, so that a date can be told from one made with another release."""
        parts = [f"{self.name} (holidays {version('holidays')})"] if self.name else []
        parts += [f"{len(self.own_days)} own days"] if self.own_days else []
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


@lru_cache(maxsize=4096)
def _named_days(name: str, year: int) -> tuple[tuple[date, str], ...]:
    if not name:
        return ()
    check_calendar(name)
    if name in holidays.list_supported_financial(include_aliases=True):
        return tuple(holidays.financial_holidays(name, years=year).items())
    country, _, subdivision = name.partition("-")
    return tuple(holidays.country_holidays(country, subdiv=subdivision or None, years=year).items())
