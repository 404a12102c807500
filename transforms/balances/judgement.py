"""Each term at the as-of date: money, satisfaction, state."""

from datetime import date

import polars as pl

from transforms.balances.book import Book
from transforms.balances.satisfaction import Satisfaction
from transforms.balances.states import term_states

AS_OF_APPROXIMATE = "AS_OF_APPROXIMATE"
"""The provider's balance is of a later day than the as-of date."""


def judge(book: Book, paid: Satisfaction, *, as_of: date) -> pl.DataFrame:
    """Return the book's terms with their money, satisfaction and state.

    Adds `waived_minor, received_minor, outstanding_minor, is_satisfied, satisfied_on, judged_on,
    state, state_number, days_late, flags`. What a term that no longer counts had not received is
    waived, so that amount less waived is always received plus outstanding.
    """
    unpaid = pl.col("amount_minor") - pl.col("received_minor")
    waived, outstanding = _parted(unpaid) if not book.terms["counts"].all() else (pl.lit(0, pl.Int64), unpaid)
    terms = book.terms.with_columns(
        paid.received.alias("received_minor"),
        paid.satisfied_on.alias("satisfied_on"),
        paid.judged_on.alias("judged_on"),
        _flags(paid.is_approximate).alias("flags"),
    ).with_columns(
        waived_minor=waived,
        outstanding_minor=outstanding,
        is_satisfied=pl.col("counts") & (unpaid <= pl.col("tolerance_minor")),
    )
    states = term_states(terms, book.segments.spread(book.grace), as_of=as_of)
    return pl.concat([terms, states], how="horizontal")


def _parted(unpaid: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the part of `unpaid` that is waived, and the part that is owed."""
    waived = pl.when("counts").then(0).otherwise(unpaid.clip(lower_bound=0))
    return waived, pl.when("counts").then(unpaid).otherwise(unpaid.clip(upper_bound=0))


def _flags(is_approximate: pl.Series) -> pl.Series | pl.Expr:
    if not is_approximate.any():
        return pl.lit("")
    return pl.Series(["", AS_OF_APPROXIMATE]).gather(is_approximate.cast(pl.UInt32))
