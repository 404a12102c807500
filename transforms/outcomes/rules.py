"""The days on which a plan began to fulfil a rule under which it counts as broken.

Each rule that is on gives its onsets, `plan` and `day`: a rule begins to hold on those days and may have held before.
Which of them breaks a plan is decided by the episode they lie in.
"""

import polars as pl

from transforms.balances.book import Book
from transforms.balances.satisfaction import Satisfaction
from transforms.delinquency.arrears_since import history_on
from transforms.delinquency.counting import count_days
from transforms.delinquency.pauses import paused_days
from transforms.judging import Judging
from transforms.outcomes.spells import day_number, has_returns
from transforms.segments import row_numbers

_ONSETS = {"plan": pl.Int64(), "day": pl.Int64()}


def onsets_of(
    book: Book,
    paid: Satisfaction,
    terms: pl.DataFrame,
    spells: pl.DataFrame,
    judging: Judging,
) -> pl.DataFrame:
    """Return the onsets of every rule that is on, up to the as-of date: `plan, day`, in any order.

    Args:
        book: Plans, terms and money.
        paid: What each term received.
        terms: What `judgement.judge` returned.
        spells: What `spells.spells_of` returned.
        judging: The as-of date, and which rules are on.
    """
    rules = judging.rules
    late = spells.filter(pl.col("late_from") < pl.col("end")).with_columns(start="late_from")
    onsets = [pl.DataFrame(schema=_ONSETS)]
    if rules.consecutive_missed:
        onsets.append(_consecutive(book, late, rules.consecutive_missed))
    if rules.total_late:
        onsets.append(_at_one_time(late, rules.total_late))
    if rules.days_past_due:
        onsets.append(_too_old(book, spells, judging))
    if rules.overdue_share_ppm:
        onsets.append(_too_much(book, paid, late, terms, rules.overdue_share_ppm))
    return pl.concat(onsets).filter(pl.col("day") <= day_number(judging.as_of))


def _consecutive(book: Book, late: pl.DataFrame, count: int) -> pl.DataFrame:
    """Return when `count` terms that follow one another were late at one time: where all their spells overlap."""
    # Terms that no longer count do not stand between two that do.
    counts, place = book.terms["counts"], late["row"]
    if not counts.all():
        place = counts.cast(pl.Int64).cum_sum().gather(place)
    spells = late.with_columns(place.alias("place")).select("plan", "place", "start", "end")
    several = has_returns(book).gather(spells["plan"])
    # Where no term has a second spell, the spell of the next term stands on the next row, or it has none.
    single = spells.filter(~several)
    further = [single.shift(-step) for step in range(1, count)]
    follows = [
        (rows["place"] == single["place"] + step) & (rows["plan"] == single["plan"])
        for step, rows in enumerate(further, start=1)
    ]
    shared = single.select(
        "plan",
        start=pl.max_horizontal("start", *(rows["start"] for rows in further)),
        end=pl.min_horizontal("end", *(rows["end"] for rows in further)),
    ).filter(*(each.fill_null(value=False) for each in follows))
    runs = pl.concat([shared, _joined(spells.filter(several), count)])
    return runs.filter(pl.col("start") < pl.col("end")).select("plan", day="start")


def _joined(spells: pl.DataFrame, count: int) -> pl.DataFrame:
    """Return the times that spells of `count` terms in a row share, each spell of a term with each of the next."""
    runs = spells
    for step in range(1, count):
        following = spells.select("plan", pl.col("place") - step, next_start="start", next_end="end")
        runs = runs.join(following, on=["plan", "place"], how="inner").select(
            "plan",
            "place",
            start=pl.max_horizontal("start", "next_start"),
            end=pl.min_horizontal("end", "next_end"),
        )
    return runs.select("plan", "start", "end")


def _at_one_time(late: pl.DataFrame, count: int) -> pl.DataFrame:
    """Return the days on which the number of late terms rose to `count` or more."""
    begin = late.select("plan", day="start", change=pl.lit(1, pl.Int64))
    cease = late.select("plan", day="end", change=pl.lit(-1, pl.Int64))
    days = pl.concat([begin, cease]).group_by("plan", "day").agg(pl.col("change").sum()).sort("plan", "day")
    # Every spell ends, so one running sum serves all plans: it is 0 again before the next plan.
    return days.filter((pl.col("change").cum_sum() >= count) & (pl.col("change") > 0)).select("plan", "day")


def _too_old(book: Book, spells: pl.DataFrame, judging: Judging) -> pl.DataFrame:
    """Return the first day of each spell on which more days past due are counted from its due date than the rule allows."""
    options, pauses = judging.options, judging.pauses.stopping
    plans = book.plans.select("plan_no", "provider")[spells["plan"]]
    since = book.terms["due_date"].gather(spells["row"])
    needed = _days_needed(plans["provider"], book.grace.gather(spells["plan"]), judging)
    # The pauses of each spell's plan, under the number of the spell.
    rows = plans.with_columns(row_numbers(plans.height).alias("spell"))
    own = pauses.join(rows, on="plan_no", how="inner").select("pause_start", "pause_end", plan_no="spell")
    numbered = rows.select(plan_no="spell", provider="provider")
    # Counted from the due date, wherever in the time since then the spell begins.
    last, day = day_number(judging.as_of), since.cast(pl.Int64) + needed
    while True:
        until = day.cast(pl.Int32).cast(pl.Date)
        counted = count_days(numbered["provider"], since, until, options=options)
        if own.height:
            counted = counted - paused_days(own, numbered, since, until, options=options)
        # A day further counts at most one more, so this never goes past the day that is looked for.
        short = ((needed - counted).clip(lower_bound=0)).set(day > last, 0)
        if not (short > 0).any():
            break
        day = day + short
    first = spells.select("plan", "end", day=pl.max_horizontal(day, "start"))
    return first.filter(pl.col("day") < pl.col("end")).select("plan", "day")


def _days_needed(provider: pl.Series, grace: pl.Series, judging: Judging) -> pl.Series:
    """Return how many days have to be counted before the rule holds: SHIFT takes grace off, GATE counts none up to it."""
    limit = judging.rules.days_past_due
    mode = provider.replace_strict(
        {name: option.grace_mode for name, option in judging.options.items()}, return_dtype=pl.String()
    )
    return pl.select(
        pl.when(pl.lit(mode) == "SHIFT")
        .then(limit + 1 + pl.lit(grace))
        .when(pl.lit(mode) == "GATE")
        .then(pl.max_horizontal(pl.lit(limit), pl.lit(grace)) + 1)
        .otherwise(limit + 1)
    ).to_series()


def _too_much(book: Book, paid: Satisfaction, late: pl.DataFrame, terms: pl.DataFrame, share_ppm: int) -> pl.DataFrame:
    """Return the days on which a term became late, or money moved, with more late than the share of the plan."""
    plans = late["plan"].unique().sort()
    moved = pl.DataFrame({"plan": book.levels.owner.cast(pl.Int64), "day": book.levels.day.cast(pl.Int64)})
    days = pl.concat([late.select("plan", day="start"), moved.filter(moved["plan"].is_in(plans.implode()))]).unique()
    points = days.with_columns(pl.col("day").cast(pl.Int32).cast(pl.Date)).sort("plan", "day")
    history = history_on(book, paid, points)
    counts, grace = book.terms["counts"].gather(history["row"]), book.grace.gather(history["plan"])
    is_late = pl.col("due_date").cast(pl.Int64) + pl.lit(grace) < pl.col("day").cast(pl.Int64)
    money = (
        history.filter(pl.lit(counts) & is_late)
        .group_by("plan", "day", maintain_order=True)
        .agg(late_minor=(pl.col("payable") - pl.col("received")).sum())
    )
    whole = book.segments.total(terms["amount_minor"] - terms["waived_minor"]).gather(money["plan"])
    # In 128 bits, because a million times an amount does not fit into 64.
    is_over = pl.col("late_minor").cast(pl.Int128) * 1_000_000 > pl.lit(whole).cast(pl.Int128) * share_ppm
    return money.filter(is_over).select(pl.col("plan").cast(pl.Int64), pl.col("day").cast(pl.Int64))
