"""Days between two dates in the basis the options ask for: calendar days or business days."""

from collections.abc import Mapping

import polars as pl

from schemas.options import Options
from transforms.calendars.business import business_between
from transforms.options import by_provider


def count_days(provider: pl.Series, after: pl.Series, until: pl.Series, *, options: Mapping[str, Options]) -> pl.Series:
    """Return the days in (`after`, `until`] per row, 0 where `until` is earlier; null where a date is null.

    Raises:
        MissingOptionsError: a provider has no options.
    """
    calendar = (until.cast(pl.Int32).cast(pl.Int64) - after.cast(pl.Int32).cast(pl.Int64)).clip(lower_bound=0)
    in_business = by_provider(
        provider.to_frame("provider"), options, lambda option: option.day_basis == "BUSINESS", pl.Boolean()
    )
    if not in_business.any():
        return calendar
    return business_between(provider, after, until, options=options).zip_with(in_business, calendar)
