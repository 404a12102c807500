"""Business days between two dates, each row by the calendar of its provider."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from schemas.options import Options
from transforms.calendars.business_days import business_days
from transforms.options import MissingOptionsError


def business_between(
    provider: pl.Series, after: pl.Series, until: pl.Series, *, options: Mapping[str, Options]
) -> pl.Series:
    """Return the business days in (`after`, `until`] per row; null where either is null.

    Raises:
        MissingOptionsError: a provider has no options.
        UnknownCalendarError: its calendar does not exist.
    """
    counts = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(provider))
    is_dated = after.is_not_null() & until.is_not_null()
    for name in provider.filter(is_dated).unique().sort():
        if name not in options:
            raise MissingOptionsError([name])
        rows = (is_dated & (provider == name)).arg_true()
        # The rows of this provider; their counts are put back at the same rows.
        start, end = after.gather(rows), until.gather(rows)
        own = options[name]
        span = (_day(start.min()), _day(end.max()))
        days = business_days(own.calendar, own.weekend, *span, closed=own.closed_days)
        counts = counts.scatter(rows, days.between(start, end))
    return counts


def repeated(day: date, size: int) -> pl.Series:
    """Return a column of `size` times the same day."""
    return pl.Series([day], dtype=pl.Date).new_from_index(0, size)


def _day(value: object) -> date:
    if not isinstance(value, date):
        raise TypeError(f"expected a date, not {value!r}")
    return value
