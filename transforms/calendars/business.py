"""Business days between two dates, each row by the calendar of its provider."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from schemas.options import Options
from transforms.calendars.business_days import business_days
from transforms.options import MissingOptionsError
from transforms.segments import is_one, put, repeat, row_numbers


def business_between(
    provider: pl.Series, after: pl.Series, until: pl.Series, *, options: Mapping[str, Options]
) -> pl.Series:
    """Return the business days in (`after`, `until`] per row; null where either is null.

    Raises:
        MissingOptionsError: a provider has no options.
        UnknownCalendarError: its calendar does not exist.
    """
    counts = repeat(None, len(provider))
    spans = pl.DataFrame(
        [
            provider.alias("provider"),
            after.alias("after"),
            until.alias("until"),
            row_numbers(len(provider)).alias("row"),
        ]
    ).drop_nulls()
    # The rows of each provider; their counts are put back at the same rows.
    names = spans["provider"]
    parts = {(names[0],): spans} if is_one(names) else spans.partition_by("provider", as_dict=True)
    for (name,), own in sorted(parts.items()):
        if name not in options:
            raise MissingOptionsError([name])
        chosen, span = options[name], (_day(own["after"].min()), _day(own["until"].max()))
        days = business_days(chosen.calendar, chosen.weekend, *span, closed=chosen.closed_days)
        counts = put(counts, own["row"], days.between(own["after"], own["until"]))
    return counts


def repeated(day: date, size: int) -> pl.Series:
    """Return a column of `size` times the same day."""
    return pl.Series([day], dtype=pl.Date).new_from_index(0, size)


def _day(value: object) -> date:
    if not isinstance(value, date):
        raise TypeError(f"expected a date, not {value!r}")
    return value
