"""Terms in sequence beside the settled money of their plans: what every later step reads.

Opened once per part of the portfolio. It is decided here as well which terms no longer
take money, and which no longer count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.options import Options
from schemas.table import sorted_by
from transforms.balances.allocation import Links, links_of
from transforms.balances.sequence import in_sequence
from transforms.balances.settlement import Levels, levels, settled, total_of
from transforms.balances.tolerance import tolerances
from transforms.options import by_provider
from transforms.segments import Segments, put, repeat

_FOREVER = 2**31 - 1
"""Day number of an end that never comes."""


@dataclass(frozen=True, slots=True)
class Book:
    """The plans of one part, in plan_no order, and what belongs to them.

    `terms` adds to `TERMS`: `term_no`, `payable` (what the term may take), `tolerance_minor`, `counts`
    (false for terms no longer owed), `is_replaced` (of those, superseded by a newer plan's) and
    `is_listed` (the provider did not take it out of a plan that goes on). `is_ours` tells per plan
    whether its balances follow from payments, `skips` whether the residual of a satisfied term
    is passed over. `pool` is the settled money per plan that terms may take, `whole` all of it,
    `money` its payments.
    """

    plans: pl.DataFrame
    terms: pl.DataFrame
    segments: Segments
    money: pl.DataFrame
    pool: pl.Series
    whole: pl.Series
    levels: Levels
    links: Links
    is_ours: pl.Series
    skips: pl.Series
    grace: pl.Series


def open_book(
    plans: pl.DataFrame, terms: pl.DataFrame, payments: pl.DataFrame, *, as_of: date, options: Mapping[str, Options]
) -> Book:
    """Return the book of these plans.

    Args:
        plans: `locate.Located.plans` of the part.
        terms: All `TERMS` of these plans; others are left out.
        payments: `locate.Located.payments` of these plans; others are left out.
        as_of: Civil date whose end is described.
        options: `Options` by provider.
    """
    ordered = sorted_by(plans, "plan_no")
    rows, segments = in_sequence(terms, ordered["plan_no"])
    rows = rows.with_columns(*_standing_of_terms(rows, ordered, segments, as_of))
    tolerance = tolerances(ordered, rows["payable"], segments, options)
    rows = rows.with_columns(tolerance.alias("tolerance_minor"))
    money = settled(payments, ordered, as_of=as_of)
    return Book(
        plans=ordered,
        terms=rows,
        segments=segments,
        money=money,
        pool=total_of(money, "net_minor", ordered.height),
        whole=total_of(money, "whole_minor", ordered.height),
        levels=levels(money, ordered.height),
        links=links_of(rows, segments, money),
        is_ours=ordered["basis"] == "PAYMENTS",
        skips=by_provider(ordered, options, lambda option: option.residual == "SKIP", pl.Boolean()),
        grace=by_provider(ordered, options, lambda option: option.grace_days, pl.Int64()),
    )


def _standing_of_terms(terms: pl.DataFrame, plans: pl.DataFrame, segments: Segments, as_of: date) -> list[pl.Series]:
    """Return `counts, is_replaced, is_listed, payable`.

    A term that the provider took out of a plan that goes on takes no money. A term voided by the
    end of its plan keeps what it had received.
    """
    removed = _removed(terms, plans, segments, as_of)
    # The last due date that is still owed, as a day number: none for a plan never in force, no limit for one that goes on.
    last_day = plans.select(
        pl.when(_never_owed()).then(-_FOREVER).otherwise(pl.col("closes_on").cast(pl.Int32).fill_null(_FOREVER))
    ).to_series()
    counts = repeat(True, terms.height, pl.Boolean)
    if (last_day != _FOREVER).any():
        counts = terms["due_date"].cast(pl.Int32) <= segments.spread(last_day.cast(pl.Int32))
    superseded = plans["standing"] == "SUPERSEDED"
    replaced = ~counts & segments.spread(superseded) if superseded.any() else ~repeat(True, terms.height, pl.Boolean)
    listed = repeat(True, terms.height, pl.Boolean)
    payable = terms["amount_minor"].clip(lower_bound=0)
    if len(removed):
        no = repeat(False, len(removed), pl.Boolean)
        # Terms that were taken out: false in all three flags, and without room for money.
        counts, replaced, listed = put(counts, removed, no), put(replaced, removed, no), put(listed, removed, no)
        payable = put(payable, removed, repeat(0, len(removed)))
    columns = {"counts": counts, "is_replaced": replaced, "is_listed": listed, "payable": payable}
    return [column.alias(name) for name, column in columns.items()]


def _never_owed() -> pl.Expr:
    standing = pl.col("standing")
    return standing.is_in(["PROPOSED", "REJECTED"]) | ((standing == "DELETED") & ~pl.col("is_approved"))


def _removed(terms: pl.DataFrame, plans: pl.DataFrame, segments: Segments, as_of: date) -> pl.Series:
    """Return the rows of terms that were taken out while their plan went on."""
    rows = (terms["removed_on"] <= as_of).arg_true()
    # Each removed term beside the end of its plan.
    owner = segments.owner.gather(rows)
    closes_on, vanished = plans["closes_on"].gather(owner), plans["is_vanished"].gather(owner)
    before_the_end = (terms["removed_on"].gather(rows) < closes_on).fill_null(value=False)
    return rows.filter(before_the_end | (closes_on.is_null() & ~vanished))
