"""Regenerate plans under changed conventions, and tell where that gives the provider's values.

Only plans that differ come here. Every combination of changes is regenerated for all
of them at once; what is kept is which combination reproduces what.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from schemas.conventions import Conventions
from transforms.calendars.closed_days import Calendar
from transforms.conformance.changes import Change
from transforms.schedules.regenerate import regenerate

Combination = tuple[Change, ...]

_AT_ONCE = 100_000
"""Plans regenerated in one go; more would only need more memory."""


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
    """

    whole: pl.DataFrame
    terms: pl.DataFrame
    orders: pl.DataFrame


def twos(changes: Sequence[Change]) -> list[Combination]:
    """Return every two changes that do not touch the same choice."""
    return [pair for pair in itertools.combinations(changes, 2) if not pair[0].touches & pair[1].touches]


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
) -> Tried:
    """Regenerate these plans under every combination of changes and compare.

    Args:
        combinations: What to change; its place in this list is its number.
        rules: `PLAN_RULES` of the plans.
        theirs: The provider's terms of these plans, as `by_date` gives them.
        differing: `plan_no, sequence, due_date, amount_minor` of pairs that differ: the provider's values, null
            where that one does not differ.
        means: What the schedules compared were made with.
    """
    numbered = rules.sort("plan_no").with_row_index("local").with_columns(pl.col("local").cast(pl.Int64))
    outcomes: list[Tried] = []
    for batch, sets in _batches(combinations, numbered, means.conventions):
        listed = _repeated(means.custom, batch, rules.height, numbered)
        made = regenerate(batch, listed, conventions=sets, calendars=means.calendars, with_trace=False)
        outcomes.append(_outcome(made.terms, numbered["plan_no"], theirs, differing))
    if not outcomes:
        return Tried(*(pl.DataFrame(schema=schema) for schema in (_WHOLE, _TERMS, _ORDERS)))
    return Tried(*(pl.concat([getattr(each, name) for each in outcomes]) for name in ("whole", "terms", "orders")))


_WHOLE = {"combination": pl.Int64, "plan_no": pl.Int64, "dates": pl.Boolean, "amounts": pl.Boolean}
_TERMS = {
    "combination": pl.Int64,
    "plan_no": pl.Int64,
    "sequence": pl.Int64,
    "dates": pl.Boolean,
    "amounts": pl.Boolean,
}
_ORDERS = {"combination": pl.Int64, "plan_no": pl.Int64, "ordinal": pl.Int64, "sequence": pl.Int64}


def _batches(
    combinations: Sequence[Combination], rules: pl.DataFrame, conventions: Mapping[str, Conventions]
) -> Iterator[tuple[pl.DataFrame, dict[str, Conventions]]]:
    """Yield plans with changed rules, numbered by combination and plan, and the sets of conventions they name."""
    is_open = _open_to(combinations, rules)
    frames: list[pl.DataFrame] = []
    sets, waiting = dict(conventions), 0
    for number, changes in enumerate(combinations):
        chosen = _all_of([is_open[change] for change in changes])
        if not chosen.any():
            continue
        frame, more = _changed(number, changes, rules.filter(chosen), conventions, plans=rules.height)
        sets |= more
        frames.append(frame)
        waiting += frame.height
        if waiting >= _AT_ONCE:
            yield pl.concat(frames), sets
            frames, sets, waiting = [], dict(conventions), 0
    if waiting:
        yield pl.concat(frames), sets


def _open_to(combinations: Sequence[Combination], rules: pl.DataFrame) -> dict[Change, pl.Series]:
    """Return per change which plans it applies to; combinations that apply to no plan are then not tried."""
    changes = list(dict.fromkeys(itertools.chain.from_iterable(combinations)))
    applies = (change.applies.fill_null(value=False).alias(f"_{at}") for at, change in enumerate(changes))
    flagged = rules.with_columns(applies)
    return {change: flagged[f"_{at}"] for at, change in enumerate(changes)}


def _all_of(conditions: Sequence[pl.Series]) -> pl.Series:
    chosen = conditions[0]
    for condition in conditions[1:]:
        chosen = chosen & condition
    return chosen


def _changed(
    number: int, changes: Combination, rules: pl.DataFrame, conventions: Mapping[str, Conventions], *, plans: int
) -> tuple[pl.DataFrame, dict[str, Conventions]]:
    """Return these plans with the changes made, numbered by combination and plan, and the conventions they name."""
    effective = {name: new for name, old in conventions.items() if (new := _applied(changes, old)) is not None}
    names = {name: f"{name}|{number}" for name in effective}
    # Terms that a plan lists itself follow no rule; only what happens to two of one day can differ.
    follows = pl.col("arrangement").ne_missing("CUSTOM") | all(change.touches == {"collision"} for change in changes)
    values: dict[str, Any] = {column: value for change in changes for column, value in change.rules.items()}
    frame = rules.filter(follows & pl.col("convention_set").is_in(list(effective)))
    changed = frame.with_columns(**values).with_columns(
        plan_no=pl.lit(number, dtype=pl.Int64) * plans + pl.col("local"),
        convention_set=pl.col("convention_set").replace(names),
    )
    return changed.drop("local"), {names[name]: new for name, new in effective.items()}


def _applied(changes: Combination, old: Conventions) -> Conventions | None:
    """Return the changed conventions; null where one of the changes would change nothing."""
    new = old
    for change in changes:
        if not change.conventions:
            continue
        if (following := replace(new, **change.conventions)) == new:
            return None
        new = following
    return new


def _repeated(custom: pl.DataFrame, batch: pl.DataFrame, plans: int, rules: pl.DataFrame) -> pl.DataFrame:
    listing = batch.filter(pl.col("arrangement") == "CUSTOM").select("plan_no", local=pl.col("plan_no") % plans)
    own = listing.join(rules.select("local", own="plan_no"), on="local", validate="m:1")
    joined = own.join(custom.rename({"plan_no": "own"}), on="own")
    return joined.select(custom.columns)


def _outcome(made: pl.DataFrame, plan_nos: pl.Series, theirs: pl.DataFrame, differing: pl.DataFrame) -> Tried:
    size = len(plan_nos)
    ordered = by_date(made, "sequence", "expected_due_date", "expected_amount_minor")
    # The number made for a combination and a plan, taken apart again into both.
    local = (ordered["plan_no"] % size).alias("local")
    combined = ordered.with_columns(combination=pl.col("plan_no") // size, plan_no=plan_nos.gather(local))
    counts = theirs.group_by("plan_no").agg(count=pl.len())
    joined = combined.join(theirs, on=["plan_no", "ordinal"], how="left", suffix="_theirs", validate="m:1")
    same_amount = (pl.col("amount") == pl.col("amount_theirs")) | pl.col("amount").is_null()
    whole = (
        joined.group_by("combination", "plan_no")
        .agg(
            size=pl.len(),
            dates=(pl.col("date") == pl.col("date_theirs")).fill_null(value=False).all(),
            amounts=(same_amount & pl.col("date_theirs").is_not_null()).fill_null(value=False).all(),
        )
        .join(counts, on="plan_no", how="left", validate="m:1")
        .with_columns(pl.col("dates", "amounts") & (pl.col("size") == pl.col("count")).fill_null(value=False))
        .filter(pl.col("dates") | pl.col("amounts"))
        .select("combination", "plan_no", "dates", "amounts")
    )
    orders = combined.join(whole.filter("dates"), on=["combination", "plan_no"], how="semi")
    terms = combined.join(differing, left_on=["plan_no", "place"], right_on=["plan_no", "sequence"], validate="m:1")
    of_terms = terms.select(
        "combination",
        "plan_no",
        sequence="place",
        dates=(pl.col("date") == pl.col("due_date")).fill_null(value=False),
        amounts=(pl.col("amount") == pl.col("amount_minor")).fill_null(value=False),
    ).filter(pl.col("dates") | pl.col("amounts"))
    return Tried(whole, of_terms, orders.select("combination", "plan_no", "ordinal", sequence="place"))
