"""Which plans are about to miss their next term: an early warning inside the time before it falls due."""

from datetime import date

import polars as pl

from schemas.options import OutcomeRules
from transforms.balances.book import Book

NEAR_BREAK = "NEAR_BREAK"
"""Less than the part of the next term that should be there by now has been received."""


def is_near_break(book: Book, terms: pl.DataFrame, *, as_of: date, rules: OutcomeRules) -> pl.Series:
    """Return per plan whether too little of its next term is there at the last checkpoint.

    The time from the due date before it (or the plan's creation) to its own is parted into equal checkpoints; at the
    j-th of m, j/m of the term's share has to be there. Three checkpoints in 30 days for a term of 90.00:

        day             9     10     20     29
        checkpoint      0      1      2      2
        has to be there 0  30.00  60.00  60.00

    Args:
        book: Plans and terms.
        terms: What `judgement.judge` returned.
        as_of: Civil date whose end is described.
        rules: How many checkpoints there are (0: no plan is near a break), and which share counts.
    """
    if not rules.checkpoints:
        return pl.Series([False], dtype=pl.Boolean).new_from_index(0, book.plans.height)
    rows = book.segments.first_row_where(terms["counts"] & (terms["due_date"] >= as_of))
    # The row before a plan's first term belongs to another plan.
    before = (rows - 1).set(rows == book.segments.first, None)
    before = before.set(before < 0, None)
    start = terms["due_date"].gather(before).fill_null(book.plans["created_on"])
    of_next = terms.select("due_date", "is_satisfied", "received_minor", payable=pl.col("amount_minor"))[rows]
    passed = (pl.lit(as_of) - pl.col("start")).dt.total_days() * rules.checkpoints
    whole = (pl.col("due_date") - pl.col("start")).dt.total_days()
    checkpoint = (passed // whole).clip(0, rules.checkpoints)
    # In 128 bits, because a million times an amount does not fit into 64.
    has = pl.col("received_minor").cast(pl.Int128) * 1_000_000 * rules.checkpoints
    needs = pl.col("payable").cast(pl.Int128) * rules.checkpoint_share_ppm * checkpoint
    near = (whole > 0) & ~pl.col("is_satisfied") & (has < needs)
    return of_next.with_columns(start.alias("start")).select(near.fill_null(value=False)).to_series()
