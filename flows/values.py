"""The values that keys of the configuration take: how each is read, and what is refused."""

import difflib
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, StrictInt
from pydantic_settings import NoDecode

from reports.links import sound_pattern
from schemas.options import Tolerance
from schemas.words import ReportFormat
from transforms.calendars.business_days import check_calendar, weekend_days
from transforms.calendars.closed_days import OwnDays, own_days
from transforms.delinquency.buckets import written


def _zone(name: str) -> str:
    if name not in available_timezones():
        near = difflib.get_close_matches(name, available_timezones(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "write it as Europe/Amsterdam"
        raise ValueError(f"{name!r} is not a time zone of the IANA database; {hint}")
    return name


def _tolerance(text: str) -> str:
    Tolerance.parse(text)
    return text


def _listed(value: object) -> object:
    """Accept `a,b` from the environment where the file has `["a", "b"]`."""
    if not isinstance(value, str):
        return value
    return [part.strip(' "[]') for part in value.split(",") if part.strip(' "[]')]


def _calendar(name: str) -> str:
    check_calendar(name)
    return name


def _closed_days(value: object) -> object:
    listed = _listed(value)
    if listed is None or isinstance(listed, tuple):  # a default, or read before
        return listed
    if not isinstance(listed, list):
        raise ValueError(f'{listed!r} is no list of dates; write ["2026-12-24 Christmas Eve"]')  # noqa: TRY004  pydantic words ValueErrors alone
    return own_days(listed)


def _ranges(ranges: list[list[int]]) -> list[list[int]]:
    if ranges:
        written(ranges)
    return ranges


def _weekend(value: object) -> object:
    listed = _listed(value)
    return weekend_days(listed) if isinstance(listed, list | tuple) else listed


Zone = Annotated[str, AfterValidator(_zone)]
ToleranceText = Annotated[str, AfterValidator(_tolerance)]
LinkPattern = Annotated[str, AfterValidator(sound_pattern)]
Texts = Annotated[list[str], NoDecode, BeforeValidator(_listed)]
Formats = Annotated[list[ReportFormat], NoDecode, BeforeValidator(_listed)]
CalendarName = Annotated[str, AfterValidator(_calendar)]
ClosedDays = Annotated[OwnDays, NoDecode, BeforeValidator(_closed_days)]
BucketSetName = Literal["AR", "IFRS", "MONTHS", "MONTHS_MBA", "OWN"]
Ranges = Annotated[list[list[StrictInt]], AfterValidator(_ranges)]
Weekend = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_weekend)]
