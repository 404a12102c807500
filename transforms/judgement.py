"""Each term at the as-of date: money, satisfaction, state."""

from datetime import date

import polars as pl

from transforms.book import Book
from transforms.satisfaction import Satisfaction
from transforms.states import term_states

AS_OF_APPROXIMATE = "AS_OF_APPROXIMATE"
"""The provider's balance is of a later day than the as-of date."""


def judge(book: Book, paid: Satisfaction, *, as_of: date) -> pl.DataFrame:
    """Return the book's terms with their money, satisfaction and state.

    Adds `waived_minor, received_minor, outstanding_minor, is_satisfied, satisfied_on, judged_on,
    grace, state, days_late, flags`. What a term that no longer counts had not received is waived, so
    that amount less waived is always received plus outstanding.
    """
    counts = pl.col("void").is_null()
    unpaid = (pl.col("amount_minor") - pl.col("received_minor")).clip(lower_bound=0)
    terms = (
        book.terms.with_columns(
            paid.received.alias("received_minor"),
            paid.satisfied_on.alias("satisfied_on"),
            paid.judged_on.alias("judged_on"),
            book.segments.spread(book.grace).alias("grace"),
            flags=pl.when(pl.lit(paid.is_approximate)).then(pl.lit(AS_OF_APPROXIMATE)).otherwise(pl.lit("")),
        )
        .with_columns(waived_minor=pl.when(counts).then(0).otherwise(unpaid))
        .with_columns(outstanding_minor=pl.col("amount_minor") - pl.col("waived_minor") - pl.col("received_minor"))
        .with_columns(is_satisfied=counts & (pl.col("outstanding_minor") <= pl.col("tolerance_minor")))
    )
    return pl.concat([terms, term_states(terms, as_of=as_of)], how="horizontal")
