"""Money on its way, laid over what the settled money left open.

A payment that a term names goes to that term first, as it will when it has settled.

Pending money is never part of what was received; stale pending money is shown, but
no longer counted on.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from transforms.balances.allocation import links_of, received
from transforms.balances.book import Book
from transforms.balances.settlement import counted_of, total_of
from transforms.segments import Segments, put, repeat


@dataclass(frozen=True, slots=True)
class Pending:
    """Pending money per plan, and what of it each term would take; `fresh` leaves stale payments out."""

    total: pl.Series
    fresh: pl.Series
    of_terms: pl.Series
    fresh_of_terms: pl.Series


def lay_over(
    book: Book, payments: pl.DataFrame, outstanding: pl.Series, is_satisfied: pl.Series, *, as_of: date
) -> Pending:
    """Spread the pending payments of each plan over its open terms, oldest due first.

    Args:
        book: Plans and terms.
        payments: `locate.Located.payments`.
        outstanding: What is open on each term after settled money; 0 where a term no longer counts.
        is_satisfied: Terms that the residual option SKIP passes over.
        as_of: Civil date whose end is described.
    """
    # What was entered on a day that lies ahead is listed, and is no money before that day.
    waiting = payments.filter((pl.col("class") == "pending") & (pl.col("counts_from") <= as_of))
    counted = counted_of(waiting, book.plans).sort("plan", "payment_no")
    plans = book.plans.height
    if counted.is_empty():
        nothing, none = repeat(0, plans), repeat(0, len(outstanding))
        return Pending(nothing, nothing, none, none)
    total = total_of(counted, "amount_minor", plans)
    trusted = counted.filter(~pl.col("is_stale"))
    fresh = total_of(trusted, "amount_minor", plans)
    # Few plans have pending money: spread it over their terms alone.
    rows = book.segments.spread(total != 0).arg_true()
    # Segments of those terms alone; `rows` leads back to the terms of the book.
    few = Segments.of(book.segments.owner.gather(rows), plans)
    passed_over = few.spread(book.skips) & is_satisfied.gather(rows)
    room = outstanding.gather(rows).set(passed_over, 0).clip(lower_bound=0)
    terms = pl.DataFrame({"linked_payment_no": book.terms["linked_payment_no"].gather(rows), "payable": room})
    none = repeat(0, len(outstanding))
    of_terms, of_fresh = (put(none, rows, _spread(terms, few, money)) for money in (counted, trusted))
    return Pending(total, fresh, of_terms, of_fresh)


def _spread(terms: pl.DataFrame, segments: Segments, money: pl.DataFrame) -> pl.Series:
    """Return what each term would take of the pending payments `money`, of which it can take `payable`."""
    usable = money.select("plan", "payment_no", net_minor=pl.col("amount_minor") - pl.col("unusable_minor"))
    pool = total_of(usable, "net_minor", len(segments.first))
    shares, _ = received(terms["payable"], segments, usable, pool, links_of(terms, segments, usable))
    return shares
