"""How a break says its figures: money, dates and one plain sentence.

Expressions only; which figures are said is the check's business.
"""

import polars as pl

from schemas.currencies import plain


def money(minor: pl.Expr, currency: pl.Expr | None = None) -> pl.Expr:
    """Write minor units as a plain decimal with the currency's places; null stays null."""
    return plain(minor, pl.col("currency") if currency is None else currency)


def with_code(minor: pl.Expr, currency: pl.Expr | None = None) -> pl.Expr:
    """Write minor units as `100.00 EUR`."""
    code = pl.col("currency") if currency is None else currency
    return pl.format("{} {}", plain(minor, code), code)


def day(on: pl.Expr) -> pl.Expr:
    """Write a date as `2026-06-30`."""
    return on.dt.to_string("%Y-%m-%d")


def sentence(template: str, *values: pl.Expr) -> pl.Expr:
    """Fill `template` with values; a value that is null is called unknown, so that the sentence is never lost."""
    return pl.format(template, *[value.cast(pl.String).fill_null("unknown") for value in values])
