"""The day money last came in on each plan. How much came, and what it paid, is in `settlement.py`."""

from datetime import date

import polars as pl

from transforms.balances.book import Book
from transforms.balances.settlement import counted_of
from transforms.location.locate import SETTLED
from transforms.segments import Segments


def last_receipts(book: Book, terms: pl.DataFrame, located_payments: pl.DataFrame, *, as_of: date) -> pl.Series:
    """Return `last_receipt_date`, one per plan of the book; null where nothing came in by the as-of date.

    It is the effective date of the newest settled payment of which something is left. Where the provider states
    balances, a term's payment date counts as well: not every payment names the plan there.

    Args:
        book: Plans and money.
        terms: What `judgement.judge` returned.
        located_payments: Payments as of the date (`locate.Located.payments`).
        as_of: Civil date whose end is described.
    """
    has_come = pl.col("class").is_in(SETTLED) & (pl.col("effective_date") <= as_of)
    counted = counted_of(located_payments, book.plans).filter(
        has_come & (pl.col("amount_minor") > pl.col("back_minor"))
    )
    days = [counted.select(pl.col("plan").cast(pl.Int64), day="effective_date")]
    if not book.is_ours.all():
        paid_on = terms["provider_paid_on"]
        rows = ((paid_on <= as_of) & ~book.segments.spread(book.is_ours)).arg_true()
        owner = book.segments.owner.gather(rows).cast(pl.Int64)
        days.append(pl.DataFrame({"plan": owner, "day": paid_on.gather(rows)}))
    ordered = pl.concat(days).sort("plan", "day")
    newest = Segments.of(ordered["plan"], book.plans.height).last
    return ordered["day"].gather(newest).alias("last_receipt_date")
