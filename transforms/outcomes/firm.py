"""The kept terms again, had the money that may still be returned not come."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from schemas.options import Options
from transforms.balances.book import Book, open_book
from transforms.balances.judgement import judge
from transforms.balances.satisfaction import satisfy
from transforms.calendars.business import business_between, repeated
from transforms.options import by_provider
from transforms.outcomes.kept import evaluated
from transforms.segments import mark, number_of


def without_provisional(
    book: Book,
    kept: pl.DataFrame,
    terms: pl.DataFrame,
    located_payments: pl.DataFrame,
    *,
    as_of: date,
    options: Mapping[str, Options],
) -> pl.DataFrame:
    """Return `kept` as it would be without provisional money; only the plans that have some are worked again.

    Args:
        book: Plans, terms and money.
        kept: What `kept.evaluated` returned.
        terms: `TERMS` of these plans.
        located_payments: `locate.Located.payments` of these plans.
        as_of: Civil date whose end is described.
        options: `Options` by provider.
    """
    paid_on = book.terms["provider_paid_on"].gather(kept["row"]).set(book.is_ours.gather(kept["plan"]), None)
    provider = book.plans["provider"].gather(kept["plan"])
    age = business_between(provider, paid_on, repeated(as_of, kept.height), options=options)
    days = by_provider(provider.to_frame(), options, lambda option: option.return_days, pl.Int64())
    is_fresh = (age < days).fill_null(value=False)
    tolerance = book.terms["tolerance_minor"].gather(kept["row"])
    firm = kept.with_columns(
        paid_minor=kept["paid_minor"].set(is_fresh, 0),
        is_kept=kept["is_kept"] & ~(is_fresh & (kept["payable_minor"] > tolerance)),
    )
    provisional = number_of(book.plans["plan_no"], located_payments.filter("is_provisional")["plan_no"].drop_nulls())
    chosen = mark(provisional.drop_nulls(), book.plans.height) & mark(kept["plan"], book.plans.height) & book.is_ours
    if not chosen.any():
        return firm
    plans = book.plans.filter(chosen)
    own = open_book(plans, terms, located_payments.filter(~pl.col("is_provisional")), as_of=as_of, options=options)
    again = evaluated(own, judge(own, satisfy(own, as_of=as_of), as_of=as_of), as_of=as_of)
    # The terms of the chosen plans stand in both books in the same order.
    rows = book.segments.spread(chosen).arg_true().cast(pl.Int64).gather(again["row"])
    worked = again.select(row=rows, firm_paid="paid_minor", firm_kept="is_kept")
    return firm.join(worked, on="row", how="left", maintain_order="left").select(
        *("plan", "row", "deadline", "payable_minor"),
        paid_minor=pl.coalesce("firm_paid", "paid_minor"),
        is_kept=pl.coalesce("firm_kept", "is_kept"),
    )
