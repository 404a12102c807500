"""Days past due of each plan, by the options of its provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.options import Options
from transforms.balances.book import Book
from transforms.balances.satisfaction import Satisfaction
from transforms.balances.tolerance import minor_amounts
from transforms.calendars.business import business_between, repeated
from transforms.delinquency.arrears_since import overdue_since
from transforms.delinquency.counting import count_days
from transforms.delinquency.pauses import paused_days
from transforms.options import by_provider
from transforms.segments import Segments


@dataclass(frozen=True, slots=True)
class Arrears:
    """The overdue terms of each plan at the as-of date, one value per plan.

    `row` is the plan's first unsatisfied term due before the as-of date, `oldest` its due date; null if
    there is none. The shadow figures suppose that all fresh pending money has settled: `oldest_shadow` is `oldest` then,
    `overdue_shadow` the money open on such terms, `remaining_shadow` that on all terms.
    """

    row: pl.Series
    oldest: pl.Series
    oldest_shadow: pl.Series
    overdue_shadow: pl.Series
    remaining_shadow: pl.Series


def arrears_of(book: Book, terms: pl.DataFrame, remaining: pl.Series, *, as_of: date) -> Arrears:
    """Return the arrears of each plan.

    Args:
        book: Plans and terms.
        terms: What `judgement.judge` returned, with `fresh_pending_minor`.
        remaining: What is open on all terms of each plan.
        as_of: Civil date whose end is described.
    """
    is_late = terms["counts"] & ~terms["is_satisfied"] & (terms["due_date"] < as_of)
    row = book.segments.first_row_where(is_late)
    # Late terms are few: only these are looked at. What is open on them had all fresh pending money settled.
    columns = terms.select("due_date", "tolerance_minor", "outstanding_minor", "fresh_pending_minor")
    late = columns.filter(is_late).select(
        "due_date", "tolerance_minor", rest=pl.col("outstanding_minor") - pl.col("fresh_pending_minor")
    )
    still = late["rest"] > late["tolerance_minor"]
    of_late = Segments.of(book.segments.owner.filter(is_late).filter(still), book.plans.height)
    late = late.filter(still)
    fresh = terms["fresh_pending_minor"]
    return Arrears(
        row=row,
        oldest=terms["due_date"].gather(row),
        oldest_shadow=late["due_date"].gather(of_late.first),
        overdue_shadow=of_late.total(late["rest"]),
        remaining_shadow=remaining - book.segments.total_where(fresh, fresh > 0),
    )


def days_past_due(
    book: Book,
    paid: Satisfaction,
    arrears: Arrears,
    *,
    as_of: date,
    options: Mapping[str, Options],
    pauses: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return `days_past_due, shadow_days_past_due, days_past_due_business` per plan; 0 where nothing is past due.

    The first two follow the options of the plan's provider: where counting starts (`dpd_origin`), which days
    count (`day_basis`, pauses), and grace (`grace_mode`). The third counts business days since the
    oldest unpaid due date, without grace or pauses.

    Args:
        book: Plans, terms and money.
        paid: What each term received.
        arrears: Open terms of each plan.
        as_of: Civil date whose end is described.
        options: `Options` by provider.
        pauses: `PAUSES` whose days do not count; None: no pauses.
    """
    start, shadow_start = starts(book, paid, arrears, as_of=as_of, options=options)
    provider = book.plans["provider"]
    until = repeated(as_of, book.plans.height)
    business = business_between(provider, arrears.oldest, until, options=options)

    def counted(since: pl.Series) -> pl.Series:
        days = count_days(provider, since, until, options=options)
        if pauses is not None and pauses.height:
            days = days - paused_days(pauses, book.plans, since, until, options=options)
        return _less_grace(days.fill_null(0), book.plans, book.grace, options)

    return pl.DataFrame(
        {
            "days_past_due": counted(start),
            "shadow_days_past_due": counted(shadow_start),
            "days_past_due_business": business.fill_null(0),
        }
    )


def starts(
    book: Book, paid: Satisfaction, arrears: Arrears, *, as_of: date, options: Mapping[str, Options]
) -> tuple[pl.Series, pl.Series]:
    """Return the day after which days past due are counted, officially and in the shadow; null where nothing is.

    Arguments are those of `days_past_due`.
    """
    origin = by_provider(book.plans, options, lambda option: option.dpd_origin, pl.String())
    from_first = origin != "OLDEST_UNPAID"
    if not from_first.any():
        return arrears.oldest, arrears.oldest_shadow
    is_material = origin == "FIRST_MATERIAL"
    amounts = minor_amounts(book.plans, options, lambda option: option.material_amount).set(~is_material, 0)
    rates = by_provider(book.plans, options, lambda option: int(option.material_percent * 10_000), pl.Int64())
    rates = rates.set(~is_material, 0)
    is_asked = from_first & arrears.oldest.is_not_null()
    since = overdue_since(book, paid, is_asked, amounts, rates, as_of=as_of)
    # Whether the plan would still be over both thresholds; the share in 128 bits, as a product of two amounts.
    still_over = pl.select(
        (pl.lit(arrears.overdue_shadow) > pl.lit(amounts))
        & (
            pl.lit(arrears.overdue_shadow).cast(pl.Int128) * 1_000_000
            > pl.lit(arrears.remaining_shadow).cast(pl.Int128) * pl.lit(rates)
        )
    ).to_series()
    shadow = since.set(~still_over, None)
    return since.zip_with(from_first, arrears.oldest), shadow.zip_with(from_first, arrears.oldest_shadow)


def _less_grace(days: pl.Series, plans: pl.DataFrame, grace: pl.Series, options: Mapping[str, Options]) -> pl.Series:
    mode = by_provider(plans, options, lambda option: option.grace_mode, pl.String())
    # SHIFT takes the days of grace off; GATE counts none up to them and all beyond; NONE leaves the days as they are.
    shifted = (days - grace).clip(lower_bound=0)
    gated = days.set(days <= grace, 0)
    return shifted.zip_with(mode == "SHIFT", gated.zip_with(mode == "GATE", days))
