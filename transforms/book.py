"""Terms in sequence beside the settled money of their plans: what every later step reads.

Opened once per part of the portfolio. Here too is decided which terms no longer
take money, and which no longer count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.rules import Rules
from transforms.allocation import Links, links_of
from transforms.options import by_provider
from transforms.segments import Segments
from transforms.sequence import in_sequence
from transforms.settlement import Levels, levels, settled, total_of
from transforms.tolerance import tolerances


@dataclass(frozen=True, slots=True)
class Book:
    """The plans of one part, in plan_no order, and what belongs to them.

    `terms` adds to `TERMS`: `term_no`, `payable` (what the term may take), `tolerance_minor`, `void`
    (null while the term counts, else VOID or SUPERSEDED), `is_listed` (the provider did not take it out). `is_ours` tells per plan whether
    its balances follow from payments, `skips` whether the residual of a satisfied term is
    passed over. `pool` is the settled money per plan, `money` its payments.
    """

    plans: pl.DataFrame
    terms: pl.DataFrame
    segments: Segments
    money: pl.DataFrame
    pool: pl.Series
    levels: Levels
    links: Links
    is_ours: pl.Series
    skips: pl.Series
    grace: pl.Series


def open_book(
    plans: pl.DataFrame, terms: pl.DataFrame, payments: pl.DataFrame, *, as_of: date, rules: Mapping[str, Rules]
) -> Book:
    """Return the book of these plans.

    Args:
        plans: `locate.Located.plans` of the part.
        terms: All `TERMS` of these plans; others are left out.
        payments: `locate.Located.payments` of these plans; others are left out.
        as_of: Civil date whose end is described.
        rules: Options per provider.
    """
    ordered = plans if plans["plan_no"].is_sorted() else plans.sort("plan_no")
    rows, segments = in_sequence(terms, ordered["plan_no"])
    rows = _with_void(rows, ordered, segments, as_of)
    tolerance = tolerances(ordered, rows["payable"], segments, rules)
    rows = rows.with_columns(tolerance.alias("tolerance_minor"))
    money = settled(payments, ordered)
    return Book(
        plans=ordered,
        terms=rows,
        segments=segments,
        money=money,
        pool=total_of(money, "net_minor", ordered.height),
        levels=levels(money, ordered.height),
        links=links_of(rows, segments, money),
        is_ours=ordered["basis"] == "PAYMENTS",
        skips=by_provider(ordered, rules, lambda option: option.residual == "SKIP", pl.Boolean()),
        grace=by_provider(ordered, rules, lambda option: option.grace_days, pl.Int64()),
    )


def _with_void(terms: pl.DataFrame, plans: pl.DataFrame, segments: Segments, as_of: date) -> pl.DataFrame:
    """Add `void` and `payable`.

    A term that the provider took out of a plan that goes on takes no money; one that a plan's
    end voids keeps what it had received.
    """
    closes_on = segments.spread(plans["closes_on"])
    ending = plans.select(
        pl.when(pl.col("standing") == "SUPERSEDED").then(pl.lit("SUPERSEDED")).otherwise(pl.lit("VOID"))
    ).to_series()
    never = plans.select(
        pl.col("standing").is_in(["PROPOSED", "REJECTED"])
        | ((pl.col("standing") == "DELETED") & ~pl.col("is_approved"))
    ).to_series()
    vanished = segments.spread(plans["is_vanished"])
    removed = pl.col("removed_on") <= as_of
    before_the_end = (pl.col("removed_on") < pl.lit(closes_on)) | (pl.lit(closes_on).is_null() & ~pl.lit(vanished))
    return terms.with_columns(_removed=(removed & before_the_end).fill_null(value=False)).with_columns(
        pl.when(pl.lit(segments.spread(never)) | pl.col("_removed"))
        .then(pl.lit("VOID"))
        .when(pl.col("due_date") > pl.lit(closes_on))
        .then(pl.lit(segments.spread(ending)))
        .alias("void"),
        payable=pl.when("_removed").then(0).otherwise(pl.col("amount_minor").clip(lower_bound=0)),
        is_listed=~pl.col("_removed"),
    )
