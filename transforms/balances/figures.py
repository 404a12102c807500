"""The sums, counts and dates of each plan, from its judged terms."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.words import STATES
from transforms.balances.book import Book
from transforms.balances.pending import Pending
from transforms.location.standing import UNDECIDED
from transforms.segments import Segments, put, repeat

_DAY_BITS = 2**22
_DAY_SHIFT = 2**21
_SUM_BITS = 62
"""Bits of a 64-bit integer that a sum may use."""


def plan_sums(book: Book, terms: pl.DataFrame, pending: Pending, *, as_of: date) -> pl.DataFrame:
    """Return the money of each plan, one row per plan of the book.

    Args:
        book: Plans and money.
        terms: What `judgement.judge` returned.
        pending: Pending money of the plans.
        as_of: Civil date whose end is described.
    """
    segments = book.segments
    due, outstanding = terms["due_date"], terms["outstanding_minor"]
    amount, remaining = segments.total(terms["amount_minor"]), segments.total(outstanding)
    waived = segments.total_where(terms["waived_minor"], ~terms["counts"])
    received = amount - waived - remaining
    overdue = segments.total_where(outstanding, due < as_of)
    due_today = segments.total_where(outstanding, due == as_of)
    return pl.DataFrame(
        {
            "terms": segments.sizes,
            "amount_minor": amount,
            "waived_minor": waived,
            "received_minor": received,
            "outstanding_minor": remaining,
            "amount_due_minor": overdue + due_today,
            "overdue_minor": overdue,
            "overdue_past_grace_minor": _past_grace(book, due, outstanding, overdue, as_of=as_of),
            "due_today_minor": due_today,
            "not_due_minor": remaining - overdue - due_today,
            "unapplied_minor": (book.whole - received).set(~book.is_ours, None),
            "pending_minor": pending.total,
            "fresh_pending_minor": pending.fresh,
        }
    )


def _past_grace(book: Book, due: pl.Series, outstanding: pl.Series, overdue: pl.Series, *, as_of: date) -> pl.Series:
    if (book.grace == 0).all():
        return overdue
    last_day = (as_of - date(1970, 1, 1)).days - book.grace
    return book.segments.total_where(outstanding, due.cast(pl.Int32) < book.segments.spread(last_day.cast(pl.Int32)))


def unapplied_since(book: Book, used: pl.Series, unapplied: pl.Series) -> pl.Series:
    """Return per plan the effective date of its oldest settled payment of which terms did not take everything.

    Null where nothing is unapplied, or that is not known.

    Args:
        book: Plans and money.
        used: What terms took of each row of `book.money`.
        unapplied: Unapplied money per plan.
    """
    # The money of a plan stands by day: the first row that was not taken whole is the oldest.
    left = book.money.filter(book.money["whole_minor"] > used)
    oldest = left["effective_date"].gather(Segments.of(left["plan"], len(unapplied)).first)
    return oldest.set((unapplied == 0).fill_null(value=True), None).alias("unapplied_since")


def counts_by_state(book: Book, terms: pl.DataFrame) -> pl.DataFrame:
    """Return how many terms of each plan are in which group of states.

    `void_terms, terms_satisfied, missed_terms, delinquent_terms, open_terms_due`; the last are
    unsatisfied terms due by the as-of date.
    """
    void, satisfied, missed, partial, waiting = _counts(book, terms, _GROUPS)
    return pl.DataFrame(
        {
            "void_terms": void,
            "terms_satisfied": satisfied,
            "missed_terms": missed,
            "delinquent_terms": missed + partial,
            "open_terms_due": missed + partial + waiting,
        }
    )


_GROUPS = (
    ("VOID", "SUPERSEDED"),
    ("WAIVED", "PAID_EARLY", "PAID_ON_TIME", "PAID_LATE"),
    ("MISSED",),
    ("PARTIAL_OVERDUE",),
    ("DUE_TODAY", "IN_GRACE"),
)


def _counts(book: Book, terms: pl.DataFrame, groups: Sequence[tuple[str, ...]]) -> list[pl.Series]:
    """Return how many terms of each plan are in each group.

    One running sum counts several groups at once, each in bits of its own, as many as fit into 64.
    """
    if terms.is_empty():
        return [book.segments.sizes for _ in groups]
    sizes = book.segments.sizes
    bits = int(sizes.top_k(1)[0]).bit_length()
    # Each group gets enough bits for the number of terms of the largest plan.
    lane, at_once = 2**bits, max((_SUM_BITS - terms.height.bit_length()) // bits, 1)
    first, rest = groups[:at_once], groups[at_once:]
    # What one term of a state adds: a 1 in the bits of every group the state is in.
    weights = [sum(lane**number for number, group in enumerate(first) if state in group) for state in STATES]
    packed = book.segments.total(pl.Series(weights, dtype=pl.Int64).gather(terms["state_number"]))
    # The count of a group is what stands in its bits.
    counted = [packed // lane**number % lane for number in range(len(first))]
    return [*counted, *(_counts(book, terms, rest) if rest else [])]


def next_due(book: Book, terms: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Return `next_due_date`, the first due date on or after the as-of date of an unsatisfied term, and what is open on it."""
    segments, due = book.segments, terms["due_date"]
    is_next = terms["counts"] & ~terms["is_satisfied"] & (due >= as_of)
    first = segments.first_row_where(is_next)
    day, amount = due.gather(first), terms["outstanding_minor"].gather(first)
    # Further terms on the same day follow at once; most plans have none.
    plans, rows = first.is_not_null().arg_true(), first.drop_nulls()
    while len(rows):
        # One term further in each plan, as long as it falls due on the same day.
        rows = rows + 1
        on_it = (rows <= segments.last.gather(plans)) & (due.gather(rows.clip(0, len(due) - 1)) == day.gather(plans))
        plans, rows = plans.filter(on_it), rows.filter(on_it)
        more = terms["outstanding_minor"].gather(rows).set(~is_next.gather(rows), 0)
        # Added for the plans whose next term is on that day.
        amount = put(amount, plans, amount.gather(plans) + more)
    return pl.DataFrame({"next_due_date": day, "next_due_amount_minor": amount})


def last_due(book: Book, terms: pl.DataFrame) -> pl.Series:
    """Return per plan `last_due_date`, the due date of its last term that counts; null where none does."""
    last = book.segments.last
    if not terms["counts"].all():
        rows = terms["counts"].arg_true()
        last = rows.gather(Segments.of(book.segments.owner.gather(rows), len(last)).last)
    return terms["due_date"].gather(last).alias("last_due_date")


def last_satisfied(book: Book, terms: pl.DataFrame, is_done: pl.Series) -> pl.Series:
    """Return per plan the day since which all its terms that count are satisfied; null unless `is_done` says so."""
    rows = (book.segments.spread(is_done) & terms["counts"]).arg_true()
    done = Segments.of(book.segments.owner.gather(rows), len(is_done))
    day = terms["judged_on"].gather(rows).cast(pl.Int32).cast(pl.Int64) + _DAY_SHIFT
    # Running maximum of plan and day packed into one number: at a plan's last row it is the plan's latest day.
    packed = done.owner.cast(pl.Int64) * _DAY_BITS + day
    return (packed.cum_max().gather(done.last) % _DAY_BITS - _DAY_SHIFT).cast(pl.Date)


def provider_sums(book: Book, terms: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Return what the provider itself says is due and outstanding, per plan; null where it says nothing.

    Where it states a balance per term, `provider_amount_due_minor` is their sum over terms due by the
    as-of date; elsewhere it is the figure of the plan as given.
    """
    given = book.plans["provider_amount_due_minor"]
    due = outstanding = repeat(None, len(given))
    if not book.is_ours.all():
        stated = terms["provider_outstanding_minor"].set(~terms["is_listed"], 0).fill_null(0)
        due = book.segments.total_where(stated, terms["due_date"] <= as_of)
        outstanding = book.segments.total(stated)
    return pl.DataFrame(
        {
            "provider_amount_due_minor": given.zip_with(book.is_ours, due),
            "provider_outstanding_minor": outstanding.set(book.is_ours, None),
        }
    )


def statuses(book: Book, terms: pl.DataFrame, is_done: pl.Series) -> pl.Series:
    """Return the status of each plan: its standing, and where that is undecided what its terms say.

    All terms satisfied (`is_done`): FINISHED. Else, if the provider's newest balances leave nothing
    open, it finished after the as-of date and was ACTIVE on it. Else UNKNOWN.
    """
    standing = book.plans["standing"].alias("status")
    undecided = standing == UNDECIDED
    if not undecided.any():
        return standing
    unpaid = (terms["provider_outstanding_minor"] > terms["tolerance_minor"]).fill_null(value=True)
    counted = book.segments.count(terms["counts"])
    finishes_later = (counted > 0) & (book.segments.count(unpaid & terms["counts"]) == 0) & ~book.is_ours
    words = pl.when(pl.lit(is_done)).then(pl.lit("FINISHED")).when(pl.lit(finishes_later)).then(pl.lit("ACTIVE"))
    judged = pl.select(words.otherwise(pl.lit("UNKNOWN"))).to_series()
    return judged.zip_with(undecided, standing).alias("status")
