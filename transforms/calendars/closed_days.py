"""Which days a schedule avoids, and the names of these days.

A calendar is data with a name and a version: one observes a holiday that falls on a Saturday
on the Friday before, another not at all. Counting business days is not done here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.metadata import version

import polars as pl

from transforms.calendars.business_days import WEEKEND, named_holidays

UNNAMED = "closed day"
"""Name of a closed day that was given without one."""

MOST_IN_A_ROW = 366
"""Most days of one range: a longer one is taken for a mistake."""

_WRITTEN = re.compile(
    r"(?P<first>\d{4}-\d{2}-\d{2})(\s*\.\.\s*(?P<last>\d{4}-\d{2}-\d{2}))?(\s+(?P<name>.+))?", re.ASCII
)

OwnDays = tuple[tuple[date, str], ...]


def own_days(given: Iterable[str | date]) -> OwnDays:
    """Return closed days of one's own, each with its name, in order of their dates.

    Args:
        given: `2026-12-24`, `2026-12-24 Christmas Eve`, `2026-08-03..2026-08-21 Summer closure` with
            both ends closed, or dates.

    Raises:
        ValueError: one of them is no date of the calendar, ends before it begins, is longer than a
            year, or is given twice; the message names it.
    """
    days: dict[date, str] = {}
    for each in given:
        for day, name in _days_of(each):
            if day in days:
                raise ValueError(f"{day} is given twice; name each closed day once")
            days[day] = name
    return tuple(sorted(days.items()))


def _days_of(given: str | date) -> Iterator[tuple[date, str]]:
    text = (given.isoformat() if isinstance(given, date) else str(given)).strip()
    match = _WRITTEN.fullmatch(text)
    first, last = (_date(match[part] or match["first"]) if match else None for part in ("first", "last"))
    if match is None or first is None or last is None:
        raise ValueError(
            f"{text!r} is no closed day; write a date or two with .. between, and a name if you like: "
            "'2026-12-24 Christmas Eve', '2026-08-03..2026-08-21 Summer closure'"
        )
    if last < first:
        raise ValueError(f"{text!r} ends before it begins; write the earlier date first")
    if (last - first).days >= MOST_IN_A_ROW:
        raise ValueError(f"{text!r} is longer than {MOST_IN_A_ROW} days; correct its end, or split it")
    name = " ".join((match["name"] or UNNAMED).split())
    yield from ((first + timedelta(days=number), name) for number in range((last - first).days + 1))


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


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
        """Return name and version, so that a date can be told from one made with another release."""
        parts = [f"{self.name} (holidays {_release()})"] if self.name else []
        parts += [f"{len(self.own_days)} own closed day{'s' * (len(self.own_days) > 1)}"] if self.own_days else []
        return " + ".join(parts) or "no holidays"

    def holidays(self, first_year: int, last_year: int) -> pl.DataFrame:
        """Return `day, holiday`, one row per holiday of these years, in order.

        Raises:
            UnknownCalendarError: the holidays library has no calendar of this name.
        """
        years = range(first_year, last_year + 1) if self.name else ()
        named = dict(item for year in years for item in named_holidays(self.name, year))
        named |= dict(self.own_days)
        rows = sorted((day, name) for day, name in named.items() if first_year <= day.year <= last_year)
        return pl.DataFrame(rows, schema={"day": pl.Date, "holiday": pl.String}, orient="row")


@lru_cache(maxsize=1)
def _release() -> str:
    return version("holidays")
