"""The sums, counts and dates of each plan, from its judged terms."""

from datetime import date

import polars as pl

from transforms.book import Book
from transforms.pending import Pending
from transforms.segments import Segments

_DAY_BITS = 2**22
_DAY_SHIFT = 2**21


def plan_sums(book: Book, terms: pl.DataFrame, pending: Pending, *, as_of: date) -> pl.DataFrame:
    """Return the money and the counts of each plan, one row per plan of the book.

    Args:
        book: Plans and money.
        terms: What `judgement.judge` returned.
        pending: Pending money of the plans.
        as_of: Civil date whose end is described.
    """
    total = book.segments.total
    due, outstanding = terms["due_date"], terms["outstanding_minor"]
    deadline = due.cast(pl.Int32) + terms["grace"].cast(pl.Int32)
    now = (as_of - date(1970, 1, 1)).days
    is_open = terms["void"].is_null() & ~terms["is_satisfied"]
    amount_due = total(outstanding.set(due > as_of, 0))
    overdue = total(outstanding.set(due >= as_of, 0))
    remaining = total(outstanding)
    state = terms["state"]
    return pl.DataFrame(
        {
            "terms": book.segments.sizes,
            "terms_satisfied": total(terms["is_satisfied"]),
            "missed_terms": total(state == "MISSED"),
            "delinquent_terms": total(is_open & (deadline < now)),
            "open_terms_due": total(is_open & (due <= as_of)),
            "amount_minor": total(terms["amount_minor"]),
            "waived_minor": total(terms["waived_minor"]),
            "received_minor": total(terms["received_minor"]),
            "outstanding_minor": remaining,
            "amount_due_minor": amount_due,
            "overdue_minor": overdue,
            "overdue_past_grace_minor": total(outstanding.set(deadline >= now, 0)),
            "due_today_minor": amount_due - overdue,
            "not_due_minor": remaining - amount_due,
            "unapplied_minor": (book.pool - total(terms["received_minor"])).set(~book.is_ours, None),
            "pending_minor": pending.total,
            "fresh_pending_minor": pending.fresh,
        }
    )


def next_due(book: Book, terms: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Return `next_due_date`, the first due date not before the as-of date of an unsatisfied term, and what is open on it."""
    is_next = terms["void"].is_null() & ~terms["is_satisfied"] & (terms["due_date"] >= as_of)
    rows = is_next.arg_true()
    open_terms = terms.select("due_date", "outstanding_minor")[rows]
    ahead = Segments.of(book.segments.owner.gather(rows), book.plans.height)
    first = open_terms["due_date"].gather(ahead.first)
    on_it = open_terms["due_date"] == ahead.spread(first)
    amount = ahead.total(open_terms["outstanding_minor"].set(~on_it, 0))
    return pl.DataFrame({"next_due_date": first, "next_due_amount_minor": amount.set(first.is_null(), None)})


def last_satisfied(book: Book, terms: pl.DataFrame) -> pl.Series:
    """Return per plan the day since which all its terms that count are satisfied; null while one is not."""
    judged_on = terms["judged_on"].set(terms["void"].is_not_null(), None)
    day = (judged_on.cast(pl.Int32).cast(pl.Int64) + _DAY_SHIFT).fill_null(0)
    packed = book.segments.owner.cast(pl.Int64) * _DAY_BITS + day
    latest = packed.cum_max().gather(book.segments.last) % _DAY_BITS
    counted = book.segments.total(terms["void"].is_null())
    is_done = (counted > 0) & (book.segments.total(terms["is_satisfied"]) == counted)
    return (latest - _DAY_SHIFT).set(~is_done, None).cast(pl.Date)


def provider_sums(book: Book, terms: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Return what the provider itself says is due and outstanding, per plan; null where it says nothing.

    Where it states a balance per term, `provider_amount_due_minor` is their sum over terms due by the
    as-of date; elsewhere it is the figure of the plan as given.
    """
    stated = terms["provider_outstanding_minor"].set(~terms["is_listed"], None)
    due = book.segments.total(stated.set(terms["due_date"] > as_of, 0))
    outstanding = book.segments.total(stated)
    given = book.plans["provider_amount_due_minor"]
    return pl.DataFrame(
        {
            "provider_amount_due_minor": given.zip_with(book.is_ours, due),
            "provider_outstanding_minor": outstanding.set(book.is_ours, None),
        }
    )


def statuses(book: Book, terms: pl.DataFrame) -> pl.Series:
    """Return the status of each plan: its standing, and where that is undecided what its terms say.

    All terms satisfied: FINISHED. Else, if the provider's newest balances leave nothing open, it
    finished after the as-of date and was ACTIVE on it. Else UNKNOWN.
    """
    total = book.segments.total
    counted = total(terms["void"].is_null())
    is_paid_by_now = terms["provider_outstanding_minor"] <= terms["tolerance_minor"]
    is_finished = (counted > 0) & (total(terms["is_satisfied"]) == counted)
    finishes_later = (counted > 0) & (total(is_paid_by_now & terms["void"].is_null()) == counted) & ~book.is_ours
    standing = pl.col("standing")
    decided = (
        pl.when(standing != "UNDECIDED")
        .then(standing)
        .when(pl.lit(is_finished))
        .then(pl.lit("FINISHED"))
        .when(pl.lit(finishes_later))
        .then(pl.lit("ACTIVE"))
        .otherwise(pl.lit("UNKNOWN"))
    )
    return book.plans.select(status=decided).to_series()
