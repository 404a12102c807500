"""Days between two dates in the basis the rules ask for: calendar days or business days."""

from collections.abc import Mapping

import polars as pl

from schemas.rules import Rules
from transforms.calendars.business import business_between
from transforms.options import by_provider


def count_days(provider: pl.Series, after: pl.Series, until: pl.Series, *, rules: Mapping[str, Rules]) -> pl.Series:
    """Return the days in (`after`, `until`] per row, 0 where `until` is earlier; null where a date is null.

    Raises:
        MissingRulesError: a provider has no rules.
    """
    calendar = (until.cast(pl.Int32).cast(pl.Int64) - after.cast(pl.Int32).cast(pl.Int64)).clip(lower_bound=0)
    in_business = by_provider(
        provider.to_frame("provider"), rules, lambda option: option.day_basis == "BUSINESS", pl.Boolean()
    )
    if not in_business.any():
        return calendar
    return business_between(provider, after, until, rules=rules).zip_with(in_business, calendar)
