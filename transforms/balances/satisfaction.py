"""What each term has received, and since when it has been satisfied without a break.

A term is satisfied while what is open on it is within its tolerance. A reversal can
end that: the first day is that of the period that still lasts at the as-of date.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from transforms.balances.allocation import received, used_of
from transforms.balances.book import Book
from transforms.balances.replay import on_days
from transforms.balances.settlement import offsets
from transforms.balances.stepwise import needs_steps
from transforms.segments import changes, mark, put, repeat


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """One value per term: settled money, and the first day of being satisfied (null while it is not).

    `judged_on` is the day the state is judged by: the same, or the day of the provider's
    version where the provider does not say when the money came. `is_approximate` marks
    figures of a later day. `used` is the part of each settled payment that terms took.
    """

    received: pl.Series
    satisfied_on: pl.Series
    judged_on: pl.Series
    is_approximate: pl.Series
    used: pl.Series


def satisfy(book: Book, *, as_of: date) -> Satisfaction:
    """Return what every term of the book received by the as-of date, and since when it is satisfied."""
    if not book.is_ours.any():  # no balance follows from payments
        return Satisfaction(**_by_provider(book, as_of).to_dict(), used=repeat(0, book.money.height))
    ours, named = received(book.terms["payable"], book.segments, book.money, book.pool, book.links)
    in_steps = needs_steps(book)
    since = _since(book, ours, in_steps)
    if in_steps.any():
        history = on_days(book, _moving_days(book, in_steps))
        ours = _at_the_end(book, ours, history)
        since = _with_periods(book, since, history)
    pooled = book.segments.total(ours if book.links.is_empty else ours - named)
    used = used_of(book.money, named, pooled, book.links, book.plans.height)
    day = since.cast(pl.Date)
    if book.is_ours.all():
        return Satisfaction(ours, day, day, repeat(False, len(ours), pl.Boolean), used)
    theirs = _by_provider(book, as_of)
    mine = book.segments.spread(book.is_ours)
    return Satisfaction(
        received=ours.zip_with(mine, theirs["received"]),
        satisfied_on=day.zip_with(mine, theirs["satisfied_on"]),
        judged_on=day.zip_with(mine, theirs["judged_on"]),
        is_approximate=theirs["is_approximate"] & ~mine,
        used=used,
    )


def _since(book: Book, ours: pl.Series, in_steps: pl.Series) -> pl.Series:
    """Return since when each term is satisfied, as day numbers; null where it is not, or needs a replay.

    A term without anything to pay: since the plan was made. One that names a payment: since that payment. Any other:
    since the plan's money covers it and the terms before it.
    """
    terms, owner = book.terms, book.segments.owner
    is_met = terms["counts"] & (terms["payable"] - ours <= terms["tolerance_minor"])
    if not book.is_ours.all():
        is_met = is_met & book.segments.spread(book.is_ours)
    # Running sum over all plans; less `base`, what earlier plans add, it is the money at which a term is full.
    reach = terms["payable"].cum_sum()
    first = book.segments.first
    base = reach.gather(first) - terms["payable"].gather(first)
    met = terms.select("payable", "tolerance_minor", plan=owner, row=pl.int_range(pl.len()), reach=reach).filter(is_met)
    is_free = met["payable"] <= met["tolerance_minor"]
    created = book.plans["created_on"].cast(pl.Int32).gather(met["plan"].filter(is_free))
    since = put(repeat(None, terms.height, pl.Int32), met["row"].filter(is_free), created)
    paid = met.filter(~is_free & ~in_steps.gather(met["plan"]))
    by_name = mark(book.links.named["row"], terms.height).gather(paid["row"])
    pooled = paid.filter(~by_name)
    # What the plan must have received for the term to be within its tolerance.
    needed = pooled.select(pl.col("reach") - pl.lit(base.gather(pooled["plan"])) - pl.col("tolerance_minor"))
    since = put(since, pooled["row"], _reached(book, pooled["plan"], needed.to_series()))
    links = book.links.named.filter(book.links.named["row"].is_in(paid["row"].filter(by_name).implode()))
    # The day of the payment, put at the row of the term that names it.
    return put(since, links["row"], book.money["effective_date"].cast(pl.Int32).gather(links["money"]))


def _reached(book: Book, owner: pl.Series, needed: pl.Series) -> pl.Series:
    """Return the first day number from which on plan `owner` always had at least `needed` (1 or more)."""
    levels = book.levels
    # Lifted so that plans do not overlap, `lowest` rises over all rows: one search finds the day in each plan.
    base = offsets(levels.lowest.gather(levels.segments.last))
    height = levels.lowest + base.gather(levels.owner)
    return levels.day.cast(pl.Int32).gather(height.search_sorted(needed + base.gather(owner), side="left"))


def _moving_days(book: Book, in_steps: pl.Series) -> pl.DataFrame:
    days = pl.DataFrame({"plan": book.levels.owner, "day": book.levels.day})
    return days.filter(in_steps.gather(book.levels.owner))


def _at_the_end(book: Book, ours: pl.Series, history: pl.DataFrame) -> pl.Series:
    last_day = book.levels.day.gather(book.levels.segments.last)
    # What the replay says at the end of the last day on which the plan's money moved.
    final = history.filter(history["day"] == last_day.gather(history["plan"]))
    return put(ours, final["row"], final["received"])


def _with_periods(book: Book, since: pl.Series, history: pl.DataFrame) -> pl.Series:
    """Put the first day of the period of being satisfied that lasts on the last day into `since`."""
    is_met = pl.col("payable") - pl.col("received") <= pl.col("tolerance_minor")
    counts = book.terms["counts"].gather(history["row"])
    judged = history.filter(counts & (history["payable"] > history["tolerance_minor"]))
    steps = judged.sort("row", "day").with_columns(is_met=is_met)
    met, is_first = steps["is_met"], changes(steps["row"])
    is_last = is_first.shift(-1, fill_value=True)
    # A period starts where the term is met and was not the step before; the newest start is the last one of its term.
    starts = steps.filter(met & (is_first | ~met.shift(1, fill_value=False)))
    newest = starts.filter(changes(starts["row"]).shift(-1, fill_value=True))
    # It counts if the term is still met at its last step.
    holding = newest.join(steps.filter(is_last & met).select("row"), on="row", how="semi", maintain_order="left")
    return put(since, holding["row"], holding["day"].cast(pl.Int32))


def _by_provider(book: Book, as_of: date) -> pl.DataFrame:
    """Return the same figures where the provider states the balance of each term.

    A balance above the term's amount or below 0 contradicts the provider's own figures: what is open is taken to
    lie between the two.
    """
    later = (pl.col("provider_paid_on") > as_of).fill_null(value=False)
    created = pl.lit(book.segments.spread(book.plans["created_on"]))
    # A term of zero was never owed: it counts as paid since the plan was made.
    paid_on = pl.when(pl.col("amount_minor") == 0).then(created).otherwise(pl.col("provider_paid_on"))
    paid = pl.when(paid_on <= as_of).then(paid_on)
    unstated = pl.when(paid.is_null()).then(pl.col("amount_minor")).otherwise(0)
    stated = pl.col("provider_outstanding_minor").fill_null(unstated)
    open_now = stated.clip(0, pl.col("amount_minor"))
    still_open = pl.when(later).then(pl.col("amount_minor")).otherwise(open_now)
    version = pl.coalesce("updated_on", pl.lit(book.segments.spread(book.plans["updated_on"])))
    is_partly = (stated > 0) & (stated < pl.col("amount_minor"))
    is_met = (still_open <= pl.col("tolerance_minor")) & pl.col("counts")
    return book.terms.select(
        received=pl.col("amount_minor") - still_open,
        satisfied_on=pl.when(is_met).then(paid),
        judged_on=pl.when(is_met).then(pl.coalesce(paid, pl.min_horizontal(version, pl.lit(as_of)))),
        is_approximate=((version > as_of) & ~later & is_partly).fill_null(value=False),
    )
