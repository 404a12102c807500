"""Regenerate plans under changed conventions, and tell where that gives the provider's values.

Only plans that differ come here. Every combination of changes is regenerated for all
of them at once; what is kept is which combination reproduces what.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import polars as pl

from schemas.conventions import Conventions
from transforms.calendars.closed_days import Calendar
from transforms.conformance.changes import Change
from transforms.conformance.combinations import Combination, batches
from transforms.schedules.regenerate import regenerate
from transforms.schedules.shifts import SHIFT_CYCLE
from transforms.segments import Segments, changes, number_of, row_numbers, rows_of

PLAIN_NOTES = ("", SHIFT_CYCLE)
"""Notes of terms that no other term of their plan meets or overtakes."""

_STILL = {"remainder", "collision"}
"""Choices that move no date where every date stands alone."""


@dataclass(frozen=True, slots=True)
class Means:
    """What schedules are made with besides the rules: listed terms, conventions and calendars."""

    custom: pl.DataFrame
    conventions: Mapping[str, Conventions]
    calendars: Mapping[str, Calendar]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of some combinations of changes.

    `whole`: `combination, plan_no, dates, amounts`: whether every date, every amount of the plan comes out.
    `terms`: `combination, plan_no, sequence, dates, amounts`: the same for the pairs that differ.
    `orders`: `combination, plan_no, ordinal, sequence`: the terms by date, where all dates of the plan come out.
    `plain`: `combination, plan_no` of the schedules in which no two terms meet or run backwards.
    """

    whole: pl.DataFrame
    terms: pl.DataFrame
    orders: pl.DataFrame
    plain: pl.DataFrame


def twos(singles: Sequence[Change]) -> list[Combination]:
    """Return every two changes that do not touch the same choice."""
    return [pair for pair in itertools.combinations(singles, 2) if not pair[0].touches & pair[1].touches]


def told_by_one(doubles: Sequence[Combination], singles: Sequence[Combination], plain: pl.DataFrame) -> pl.DataFrame:
    """Return `combination, plan_no` of the two changes that tell nothing which one of them does not tell alone.

    Where amounts are laid out otherwise, or terms that meet are treated otherwise, no date that stands alone moves:
    such a change beside another gives the other's dates, and its own amounts.

    Args:
        doubles: Two changes each.
        singles: One change each.
        plain: What `Tried.plain` says of single changes, of plans whose own schedule is plain as well.
    """
    place = {single[0]: number for number, single in enumerate(singles)}
    rows = [
        (number, place[other])
        for number, pair in enumerate(doubles)
        for change, other in (pair, pair[::-1])
        if change.touches <= _STILL
    ]
    beside = pl.DataFrame(rows, schema={"number": pl.Int64, "combination": pl.Int64}, orient="row")
    return beside.join(plain, on="combination").select("plan_no", combination="number").unique()


def by_date(terms: pl.DataFrame, place: str, date: str, amount: str) -> pl.DataFrame:
    """Return `plan_no, ordinal, place, date, amount`: the terms of each plan by date, then amount, then place."""
    ordered = terms.sort("plan_no", date, amount, place)
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    # A plan begins where its number differs from the row before; rows count from there.
    is_first = pl.col("plan_no").ne_missing(pl.col("plan_no").shift(1)) | (number == 0)
    first = pl.when(is_first).then(number).forward_fill()
    return ordered.select("plan_no", ordinal=number - first, place=place, date=date, amount=amount)


def compare(theirs: pl.DataFrame, ours: pl.DataFrame) -> pl.DataFrame:
    """Return `plan_no, dates, amounts`: whether both sides, as `by_date` gives them, agree in every date, every amount.

    Amounts that are null on our side agree with any. Sides of different length agree in nothing.
    """
    joined = ours.join(theirs, on=["plan_no", "ordinal"], how="full", coalesce=True, suffix="_theirs", validate="1:1")
    dates = (pl.col("date") == pl.col("date_theirs")).fill_null(value=False)
    is_there = pl.col("date").is_not_null() & pl.col("date_theirs").is_not_null()
    amounts = is_there & ((pl.col("amount") == pl.col("amount_theirs")) | pl.col("amount").is_null())
    return joined.group_by("plan_no").agg(dates=dates.all(), amounts=amounts.fill_null(value=False).all())


def attempt(
    combinations: Sequence[Combination],
    rules: pl.DataFrame,
    theirs: pl.DataFrame,
    differing: pl.DataFrame,
    *,
    means: Means,
    known: pl.DataFrame | None = None,
) -> Tried:
    """Regenerate these plans under every combination of changes and compare.

    Args:
        combinations: What to change; its place in this list is its number.
        rules: `PLAN_RULES` of the plans.
        theirs: The provider's terms of these plans, as `by_date` gives them.
        differing: `plan_no, sequence, due_date, amount_minor` of pairs that differ: the provider's values, null
            where that one does not differ.
        means: What the schedules compared were made with.
        known: `combination, plan_no` that need not be tried, as `told_by_one` gives them.
    """
    ordered = rules.sort("plan_no")
    shown = _Shown.of(ordered["plan_no"], theirs, differing)
    outcomes: list[Tried] = []
    for batch, sets in batches(combinations, ordered, means.conventions, known):
        listed = _repeated(means.custom, batch, ordered)
        made = regenerate(batch, listed, conventions=sets, calendars=means.calendars, with_trace=False)
        outcomes.append(_outcome(made.terms, shown))
    if not outcomes:
        return Tried(*(pl.DataFrame(schema=schema) for schema in (_WHOLE, _TERMS, _ORDERS, _PLAIN)))
    return Tried(*(pl.concat([getattr(each, of.name) for each in outcomes]) for of in fields(Tried)))


_WHOLE = {"combination": pl.Int64, "plan_no": pl.Int64, "dates": pl.Boolean, "amounts": pl.Boolean}
_TERMS = {
    "combination": pl.Int64,
    "plan_no": pl.Int64,
    "sequence": pl.Int64,
    "dates": pl.Boolean,
    "amounts": pl.Boolean,
}
_PLAIN = {"combination": pl.Int64, "plan_no": pl.Int64}
_ORDERS = {"combination": pl.Int64, "plan_no": pl.Int64, "ordinal": pl.Int64, "sequence": pl.Int64}


def _repeated(custom: pl.DataFrame, batch: pl.DataFrame, rules: pl.DataFrame) -> pl.DataFrame:
    """Return the terms that plans list themselves, once for each combination in which such a plan is."""
    listing = batch.filter(pl.col("arrangement") == "CUSTOM").select("plan_no")
    own = listing.with_columns(own=rules["plan_no"].gather(listing["plan_no"] % rules.height))
    joined = own.join(custom.rename({"plan_no": "own"}), on="own")
    return joined.select(custom.columns)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is compared with: the plans in order, their terms by date and where those of each plan lie, the pairs that differ."""

    plan_nos: pl.Series
    theirs: pl.DataFrame
    segments: Segments
    differing: pl.DataFrame

    @classmethod
    def of(cls, plan_nos: pl.Series, theirs: pl.DataFrame, differing: pl.DataFrame) -> "_Shown":
        own = number_of(plan_nos, theirs["plan_no"])
        there = theirs if own.is_not_null().all() else theirs.filter(own.is_not_null())
        local = number_of(plan_nos, differing["plan_no"]).alias("local")
        return cls(plan_nos, there, Segments.of(own.drop_nulls(), len(plan_nos)), differing.with_columns(local))


def _outcome(made: pl.DataFrame, shown: _Shown) -> Tried:
    """Compare the terms made, plan by plan within each combination, with those shown.

    The k-th term by date of one side stands beside the k-th of the other: the plan's first row there, and k further.
    """
    numbers = made["plan_no"]
    is_first = changes(numbers)
    runs = is_first.cum_sum().cast(pl.Int64) - 1
    segments = Segments.of(runs, int(is_first.sum()))
    # The number made for a combination and a plan, taken apart again into both.
    tried = pl.DataFrame({"plan_no": numbers.filter(is_first)}).with_columns(
        combination=pl.col("plan_no") // len(shown.plan_nos), local=pl.col("plan_no") % len(shown.plan_nos)
    )
    ordered = _in_order_of_dates(made, is_first, segments)
    ordinal = row_numbers(made.height) - segments.spread(segments.first)
    counts = shown.segments.sizes.gather(tried["local"])
    beside = segments.spread(shown.segments.first.gather(tried["local"])) + ordinal
    beside = beside.set(ordinal >= segments.spread(counts), None)
    ours, price = ordered["expected_due_date"], ordered["expected_amount_minor"]
    dates = (ours == shown.theirs["date"].gather(beside)).fill_null(value=False)
    amounts = (price == shown.theirs["amount"].gather(beside)).fill_null(value=False) | price.is_null()
    same_size = segments.sizes == counts
    judged = tried.select(
        "combination",
        shown.plan_nos.gather(tried["local"]).alias("plan_no"),
        ((segments.count(~dates) == 0) & same_size).alias("dates"),
        ((segments.count(~(amounts & beside.is_not_null())) == 0) & same_size).alias("amounts"),
    )
    is_dated = segments.spread(judged["dates"])
    orders = pl.DataFrame(
        {
            "combination": segments.spread(judged["combination"]).filter(is_dated),
            "plan_no": segments.spread(judged["plan_no"]).filter(is_dated),
            "ordinal": ordinal.filter(is_dated),
            "sequence": ordered["sequence"].filter(is_dated),
        }
    )
    is_plain = segments.count(~made["notes"].is_in(PLAIN_NOTES)) == 0
    return Tried(
        judged.filter(pl.col("dates") | pl.col("amounts")),
        _of_terms(made, tried, shown.differing),
        orders,
        judged.select("combination", "plan_no").filter(is_plain),
    )


def _in_order_of_dates(made: pl.DataFrame, is_first: pl.Series, segments: Segments) -> pl.DataFrame:
    """Return `sequence`, date and amount in the order of `by_date`; most plans are in it, the others are sorted in place."""
    columns = ("sequence", "expected_due_date", "expected_amount_minor")
    rows = made.select("plan_no", *columns)
    meets = (rows["expected_due_date"].diff().dt.total_days() <= 0).fill_null(value=False) & ~is_first
    if not meets.any():
        return rows
    is_apart = segments.spread(segments.count(meets) > 0)
    part = rows.filter(is_apart).sort("plan_no", "expected_due_date", "expected_amount_minor", "sequence")
    at = is_apart.arg_true()
    return rows.with_columns(rows[name].scatter(at, part[name]) for name in columns)


def _of_terms(made: pl.DataFrame, tried: pl.DataFrame, differing: pl.DataFrame) -> pl.DataFrame:
    wanted = tried.select("local", "combination", made="plan_no").join(differing, on="local")
    row = rows_of(made["plan_no"], made["sequence"], wanted.select("made", "sequence"))
    found = wanted.with_columns(
        dates=made["expected_due_date"].gather(row) == wanted["due_date"],
        amounts=made["expected_amount_minor"].gather(row) == wanted["amount_minor"],
    )
    either = found.select(*_TERMS).with_columns(pl.col("dates", "amounts").fill_null(value=False))
    return either.filter(pl.col("dates") | pl.col("amounts"))
