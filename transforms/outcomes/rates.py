"""The rates at which terms were kept, over the windows before the as-of date, by count and by money.

Sums of any parts of the portfolio add up to those of the whole.
"""

from datetime import date

import polars as pl

from schemas.core import WHO
from schemas.results import KEPT
from transforms.balances.book import Book
from transforms.outcomes.kept import LONGEST_WINDOW
from transforms.outcomes.spells import day_number
from transforms.outlook.shares import share_ppm
from transforms.segments import numbered

WINDOWS = (7, 30, 90, LONGEST_WINDOW)
"""Days before the as-of date, the last of them the day before it."""
_SUMS = ("evaluated", "kept", "partly_kept", "firm_kept", "payable_minor", "paid_minor", "firm_paid_minor")
_BY = (*WHO, "currency", "window_days")


def kept_sums(book: Book, terms: pl.DataFrame, firm: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Return the sums of `KEPT` for one part: one row per tenant and currency of its plans, and window.

    Args:
        book: The plans of the part.
        terms: What `kept.evaluated` returned.
        firm: The same where money that may still be returned had not come.
        as_of: Civil date whose end is described.
    """
    groups, group = numbered(book.plans.select(*WHO, "currency"))
    both = terms.with_columns(
        group.gather(terms["plan"]).alias("group"), firm_paid_minor=firm["paid_minor"], is_firm_kept=firm["is_kept"]
    )
    of_days = both.group_by("group", "deadline").agg(
        evaluated=pl.len().cast(pl.Int64),
        kept=_count(pl.col("is_kept")),
        partly_kept=_count(~pl.col("is_kept") & (pl.col("paid_minor") > 0)),
        firm_kept=_count(pl.col("is_firm_kept")),
        payable_minor=pl.col("payable_minor").sum(),
        paid_minor=pl.col("paid_minor").sum(),
        firm_paid_minor=pl.col("firm_paid_minor").sum(),
    )
    days = pl.DataFrame({"window_days": WINDOWS}, schema={"window_days": pl.Int64()})
    # Every tenant and currency has a row in every window, also where nothing was evaluated.
    every = groups.with_row_index("group").join(days, how="cross")
    summed = (
        of_days.join(days, how="cross")
        .filter(pl.col("deadline") >= day_number(as_of) - pl.col("window_days"))
        .group_by("group", "window_days")
        .agg(pl.col(_SUMS).sum())
    )
    found = every.join(summed, on=["group", "window_days"], how="left", validate="1:1").drop("group")
    return found.with_columns(pl.col(_SUMS).fill_null(0)).sort(_BY)


def added(parts: pl.DataFrame) -> pl.DataFrame:
    """Return the sums of the whole portfolio from those of its parts, one below the other."""
    return parts.group_by(_BY).agg(pl.col(_SUMS).sum()).sort(_BY)


def kept_rates(sums: pl.DataFrame) -> pl.DataFrame:
    """Return `KEPT` from the sums of the whole portfolio; rates are null where nothing was evaluated."""
    rates = {
        "kept_rate_count_ppm": ("kept", "evaluated"),
        "kept_rate_amount_ppm": ("paid_minor", "payable_minor"),
        "firm_kept_rate_count_ppm": ("firm_kept", "evaluated"),
        "firm_kept_rate_amount_ppm": ("firm_paid_minor", "payable_minor"),
    }
    broken = pl.col("evaluated") - pl.col("kept") - pl.col("partly_kept")
    shares = {name: share_ppm(pl.col(part), pl.col(whole)) for name, (part, whole) in rates.items()}
    return KEPT.gate(sums.with_columns(broken.alias("broken"), **shares).select(KEPT.columns))


def _count(flags: pl.Expr) -> pl.Expr:
    return flags.sum().cast(pl.Int64)
