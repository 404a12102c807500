"""Which plans must have their payments applied one after another, because running sums do not give their history.

Most plans take money only oldest due first, or only by name; for those, running sums are exact.
"""

import polars as pl

from transforms.balances.book import Book
from transforms.balances.settlement import offsets
from transforms.segments import Segments, changes, mark, repeat


def needs_steps(book: Book) -> pl.Series:
    """Tell per plan whether its terms must be replayed day by day."""
    plans = book.plans.height
    if book.links.is_empty and not book.skips.any():
        return repeat(False, plans, pl.Boolean)
    rows = Segments.of(book.money["plan"], plans)
    alone = _pays_its_own_term(book)
    only_named = rows.count(alone) == rows.sizes
    # Plans of the terms that name a payment.
    linked = Segments.of(book.segments.owner.gather(book.links.named["row"]), plans).sizes > 0
    mixed = linked & ~only_named
    if not book.skips.any():
        return mixed
    return mixed | (book.skips & ~linked & _stops_inside_a_tolerance(book, rows))


def _pays_its_own_term(book: Book) -> pl.Series:
    """Tell per payment whether one term names it and it is no larger than that term."""
    if book.links.is_empty:
        return mark(pl.Series([], dtype=pl.Int64), book.money.height)
    named = book.links.named.sort("money", "row")
    # Alone with its payment: first of it, and the next row begins another payment.
    is_first = changes(named["money"])
    is_only = is_first & is_first.shift(-1, fill_value=True)
    # The payment's amount beside what the term naming it can take.
    amount = book.money["amount_minor"].gather(named["money"])
    fits = is_only & (amount <= book.terms["payable"].gather(named["row"])) & (amount >= 0)
    return mark(named["money"].filter(fits), book.money.height)


def _stops_inside_a_tolerance(book: Book, rows: Segments) -> pl.Series:
    """Tell per plan whether money ever stopped short of a full term by no more than its tolerance."""
    payable, tolerance = book.terms["payable"], book.terms["tolerance_minor"]
    base = offsets(book.segments.total(payable))
    # Running sum within the plan at which each term is full, lifted by `base` so that plans do not overlap.
    before, start = book.segments.before(payable)
    reach = before - book.segments.spread(start) + payable + book.segments.spread(base)
    amounts = book.money["amount_minor"]
    # Running sum of the plan's payments after each of them, on the same scale.
    sums, first = rows.before(amounts)
    paid = sums - rows.spread(first) + amounts + rows.spread(base)
    # The term at which the money stops after each payment: the first that is not passed.
    term = reach.search_sorted(paid, side="left").cast(pl.Int64)
    term = term.set(term >= len(reach), None)
    short = reach.gather(term) - paid
    is_own = book.segments.owner.gather(term) == book.money["plan"]
    is_short = is_own & (short > 0) & (short <= tolerance.gather(term))
    tiny = book.segments.count((payable > 0) & (payable <= tolerance)) > 0
    moved_back = rows.count(book.money["back_minor"] != 0) > 0
    return (rows.count(is_short.fill_null(value=False)) > 0) | (
        (moved_back | tiny) & (book.segments.total(tolerance) > 0)
    )
