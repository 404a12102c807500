"""The positions of one part of the portfolio at the as-of date: terms, plans, payments.

Plans are independent: any set of plans with all their terms and payments gives the
same rows as the whole portfolio.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.options import Options
from schemas.results import PAYMENT_POSITIONS, PLAN_POSITIONS, TERM_POSITIONS
from schemas.table import sorted_by
from schemas.words import INVOICES_OWE_LESS, PAUSED
from transforms.balances.book import Book, open_book
from transforms.balances.figures import (
    counts_by_state,
    last_due,
    last_satisfied,
    next_due,
    plan_sums,
    provider_sums,
    statuses,
    unapplied_since,
)
from transforms.balances.judgement import AS_OF_APPROXIMATE, judge
from transforms.balances.pending import Pending, lay_over
from transforms.balances.receipts import last_receipts
from transforms.balances.satisfaction import Satisfaction, satisfy
from transforms.calendars.business import business_between, repeated
from transforms.delinquency.aging import age_terms
from transforms.delinquency.buckets import in_buckets
from transforms.delinquency.coverage import coverage_ppm
from transforms.delinquency.days_past_due import Arrears, arrears_of, days_past_due
from transforms.delinquency.months import anchors, months_past_due
from transforms.delinquency.work_lists import work_lists
from transforms.judging import Judging
from transforms.outcomes.firm import without_provisional
from transforms.outcomes.kept import evaluated
from transforms.outcomes.near import NEAR_BREAK, is_near_break
from transforms.outcomes.outcome import outcomes_of
from transforms.outcomes.rates import kept_sums
from transforms.outlook.backtest import Windows, came
from transforms.segments import is_one, mark, number_of, put, repeat

VANISHED = "VANISHED"
"""A complete fetch no longer showed the plan; its figures are the last ones known."""

IN_FORCE = ("ACTIVE", "UNKNOWN")
"""Statuses of plans that carry money."""

_ROOM = 2**61
"""Largest sum of money in one part; above it the part is computed in halves."""


@dataclass(frozen=True, slots=True)
class Positions:
    """`TERM_POSITIONS`, `PLAN_POSITIONS` and `PAYMENT_POSITIONS`, in the order of their keys, gated.

    `aged` is what `aging.age_terms` returned: open terms summed by their own age; `kept` what `rates.kept_sums` did,
    `came` what `backtest.came` did.
    """

    terms: pl.DataFrame
    plans: pl.DataFrame
    payments: pl.DataFrame
    aged: pl.DataFrame
    kept: pl.DataFrame
    came: pl.DataFrame


def compute(
    located_plans: pl.DataFrame,
    terms: pl.DataFrame,
    located_payments: pl.DataFrame,
    judging: Judging,
    *,
    windows: Windows = (),
) -> Positions:
    """Return the positions of these plans.

    Args:
        located_plans: Rows of `locate.Located.plans`.
        terms: All `TERMS` of these plans; in stored order they cost no sort.
        located_payments: Rows of `locate.Located.payments` with a `plan_no` of these plans.
        judging: The as-of date, options, pauses and rules.
        windows: What earlier runs looked ahead to, to tell what came.

    Raises:
        MissingOptionsError: a provider has no options.
        UnknownCalendarError: the options name a calendar that does not exist.
        BucketError: the options name a bucket set that is not sound.
    """
    if located_plans.height > 1 and _is_too_much(terms, located_payments):
        middle = located_plans["plan_no"].sort()[located_plans.height // 2]
        halves = (
            tuple(frame.filter(side) for frame in (located_plans, terms, located_payments))
            for side in (pl.col("plan_no") < middle, pl.col("plan_no") >= middle)
        )
        return _together([compute(plans, own, paid, judging, windows=windows) for plans, own, paid in halves])
    as_of, options = judging.as_of, judging.options
    book = open_book(located_plans, terms, located_payments, as_of=as_of, options=options)
    paid = satisfy(book, as_of=as_of)
    judged = judge(book, paid, as_of=as_of)
    pending = lay_over(book, located_payments, judged["outstanding_minor"], judged["is_satisfied"], as_of=as_of)
    judged = judged.with_columns(
        pending.of_terms.alias("pending_minor"), pending.fresh_of_terms.alias("fresh_pending_minor")
    )
    anchor = anchors(book.plans, judged, book.segments)
    plans = _plan_rows(book, paid, judged, pending, located_payments=located_payments, anchor=anchor, judging=judging)
    kept = evaluated(book, judged, as_of=as_of)
    firm = without_provisional(book, kept, terms, located_payments, as_of=as_of, options=options)
    return Positions(
        TERM_POSITIONS.gate(_term_rows(book, judged, plans["status"])),
        PLAN_POSITIONS.gate(plans.select(PLAN_POSITIONS.columns)),
        payment_positions(located_payments, book.plans, book.money, paid.used),
        age_terms(book, judged, plans["is_in_force"], anchor, as_of=as_of, options=options),
        kept_sums(book, kept, firm, as_of=as_of),
        came(book, judged, windows),
    )


def _together(halves: Sequence[Positions]) -> Positions:
    return Positions(
        pl.concat([half.terms for half in halves]),
        pl.concat([half.plans for half in halves]),
        pl.concat([half.payments for half in halves]).sort("payment_no"),
        pl.concat([half.aged for half in halves]),
        pl.concat([half.kept for half in halves]),
        pl.concat([half.came for half in halves]),
    )


def _plan_rows(
    book: Book,
    paid: Satisfaction,
    judged: pl.DataFrame,
    pending: Pending,
    *,
    located_payments: pl.DataFrame,
    anchor: pl.Series,
    judging: Judging,
) -> pl.DataFrame:
    """Return the plans of the book with every figure of theirs, more columns than `PLAN_POSITIONS` has."""
    as_of, options, pauses = judging.as_of, judging.options, judging.pauses
    counts = counts_by_state(book, judged)
    is_done = (counts["terms_satisfied"] > 0) & (
        counts["terms_satisfied"] + counts["void_terms"] == book.segments.sizes
    )
    status = statuses(book, judged, is_done)
    sums = plan_sums(book, judged, pending, as_of=as_of)
    arrears = arrears_of(book, judged, sums["outstanding_minor"], as_of=as_of)
    is_near = is_near_break(book, judged, as_of=as_of, rules=judging.rules)
    flags = _plan_flags(
        book, paid.is_approximate, sums["outstanding_minor"], paused=pauses.flagged(as_of), is_near=is_near
    )
    parts = [
        book.plans.drop("provider_amount_due_minor").with_columns(status, flags.alias("flags")),
        counts,
        sums,
        unapplied_since(book, paid.used, sums["unapplied_minor"]).to_frame(),
        last_receipts(book, judged, located_payments, as_of=as_of).to_frame(),
        provider_sums(book, judged, as_of=as_of),
        next_due(book, judged, as_of=as_of),
        last_due(book, judged).to_frame(),
        _months(judged, arrears.row, anchor, as_of),
        days_past_due(book, paid, arrears, as_of=as_of, options=options, pauses=pauses.stopping),
        outcomes_of(book, paid, judged, status, judging),
    ]
    plans = pl.concat(parts, how="horizontal")
    return _finish(plans, last_satisfied(book, judged, is_done), arrears, as_of=as_of, options=options)


def unowned(located_payments: pl.DataFrame) -> pl.DataFrame:
    """Return `PAYMENT_POSITIONS` of the payments that belong to no plan: no term took any of them."""
    outside = located_payments.filter(pl.col("plan_no").is_null())
    none = pl.DataFrame(schema={"plan_no": pl.Int64(), "plan_id": pl.String()})
    money = pl.DataFrame(schema={"payment_no": pl.Int64()})
    return payment_positions(outside, none, money, pl.Series([], dtype=pl.Int64))


def payment_positions(located: pl.DataFrame, plans: pl.DataFrame, money: pl.DataFrame, used: pl.Series) -> pl.DataFrame:
    """Return `PAYMENT_POSITIONS` of `located`.

    Args:
        located: Payments as of the date.
        plans: `plan_no` in ascending order and `plan_id`.
        money: `payment_no` of the settled payments.
        used: What terms took of each of them.
    """
    rows = sorted_by(located, "payment_no")
    # `used` stands in the order of `money`: put each value at the row with its payment number.
    allocated = put(repeat(None, rows.height), number_of(rows["payment_no"], money["payment_no"]), used)
    is_ours = pl.col("basis") == "PAYMENTS"
    plan_id = plans["plan_id"].gather(number_of(plans["plan_no"], rows["plan_no"]))
    listed = rows.with_columns(
        plan_id.alias("plan_id"), allocated_minor=pl.when(is_ours).then(pl.lit(allocated).fill_null(0))
    )
    return PAYMENT_POSITIONS.gate(listed.select(PAYMENT_POSITIONS.columns))


def _is_too_much(terms: pl.DataFrame, payments: pl.DataFrame) -> bool:
    scale = 2**20
    parts = (terms["amount_minor"], payments["amount_minor"])
    if sum(_largest(part) * len(part) for part in parts) <= _ROOM:
        return False
    # Scaled down before summing, or the test itself would overflow.
    return sum(int((part.abs() // scale + 1).sum()) for part in parts) > _ROOM // scale


def _largest(amounts: pl.Series) -> int:
    ends = amounts.to_frame("amount").select(low=pl.min("amount"), high=pl.max("amount")).row(0)
    return max((abs(amount) for amount in ends if amount is not None), default=0)


def _months(judged: pl.DataFrame, oldest: pl.Series, anchor: pl.Series, as_of: date) -> pl.DataFrame:
    # Months count from the nominal due date of the oldest unpaid term, else from its due date.
    nominal = judged["nominal_due_date"].gather(oldest)
    start = nominal.zip_with(nominal.is_not_null(), judged["due_date"].gather(oldest))
    return months_past_due(start, anchor, as_of=as_of)


def _plan_flags(
    book: Book, of_terms: pl.Series, outstanding: pl.Series, *, paused: pl.Series, is_near: pl.Series
) -> pl.Series:
    is_approximate = mark(book.segments.owner.filter(of_terms), book.plans.height)
    # Accounts that named the plan once and name another now owe nothing on it any more.
    is_left = (pl.col("linked_accounts") == 0) & pl.col("account_no").is_not_null()
    owed = pl.when(is_left).then(0).otherwise(pl.col("linked_open_minor"))
    words = (
        pl.when(pl.lit(is_approximate)).then(pl.lit(AS_OF_APPROXIMATE)),
        pl.when(pl.lit(outstanding) > owed).then(pl.lit(INVOICES_OWE_LESS)),
        pl.when(pl.lit(is_near)).then(pl.lit(NEAR_BREAK)),
        pl.when(pl.col("plan_no").is_in(paused.implode())).then(pl.lit(PAUSED)),
        pl.when("is_vanished").then(pl.lit(VANISHED)),
    )
    return book.plans.select(pl.concat_str(*words, separator=";", ignore_nulls=True)).to_series()


def _finish(
    plans: pl.DataFrame, since: pl.Series, arrears: Arrears, *, as_of: date, options: Mapping[str, Options]
) -> pl.DataFrame:
    age = business_between(plans["provider"], since, repeated(as_of, plans.height), options=options)
    in_force = pl.col("status").is_in(IN_FORCE) & ~pl.col("is_vanished")
    return plans.with_columns(
        since.alias("last_satisfied_on"),
        age.alias("business_days_satisfied"),
        arrears.oldest.alias("oldest_unpaid_due_date"),
        coverage_ppm(plans["fresh_pending_minor"], plans["amount_due_minor"]).alias("coverage_ppm"),
        *in_buckets(plans, options),
        is_in_force=in_force,
        conformance=pl.lit(None, dtype=pl.String),
        missing_input=pl.lit(None, dtype=pl.String),
        reference=pl.lit(None, dtype=pl.String),
        own_customer=pl.lit(None, dtype=pl.String),
    ).with_columns(work_lists())


def _term_rows(book: Book, judged: pl.DataFrame, status: pl.Series) -> pl.DataFrame:
    of_plan = ("provider", "tenant_id", "plan_id", "currency", "basis")
    return judged.with_columns(
        _on_terms(book, status),
        *(_on_terms(book, book.plans[name]) for name in of_plan),
        expected_due_date=pl.lit(None, dtype=pl.Date),
        expected_amount_minor=pl.lit(None, dtype=pl.Int64),
    ).select(TERM_POSITIONS.columns)


def _on_terms(book: Book, of_plans: pl.Series) -> pl.Series | pl.Expr:
    """Give every term the word of its plan; a word that all plans share is held once."""
    if is_one(of_plans):
        return pl.lit(of_plans[0], of_plans.dtype).alias(of_plans.name)
    return book.segments.spread(of_plans).alias(of_plans.name)
