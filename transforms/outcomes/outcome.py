"""The outcome of each plan: what a replay of its days up to the as-of date says of it.

Nothing is replayed day by day: an outcome changes only where a spell, an episode or a rule begins or ends
(`spells.py`, `rules.py`), and those days follow from the terms.
"""

import polars as pl

from schemas.words import STATES
from transforms.balances.book import Book
from transforms.balances.satisfaction import Satisfaction
from transforms.judging import Judging
from transforms.outcomes.cures import cured_on
from transforms.outcomes.rules import onsets_of
from transforms.outcomes.spells import days_after, episodes_of, has_left, packed, spells_of
from transforms.segments import mark, place


def outcomes_of(
    book: Book,
    paid: Satisfaction,
    terms: pl.DataFrame,
    status: pl.Series,
    judging: Judging,
) -> pl.DataFrame:
    """Return `outcome, broken_at, cured_at, redefaulted_at, kept_so_far`, one row per plan of the book.

    `broken_at` is the first day of the first time the plan was broken, `cured_at` the day that time ended, `redefaulted_at` the
    first day of the newest time after it. `kept_so_far` is null before the first deadline of a term has passed.

    Args:
        book: Plans, terms and money.
        paid: What each term received.
        terms: What `judgement.judge` returned.
        status: The status of each plan.
        judging: The as-of date, when a plan is broken, and when it is cured.
    """
    after = days_after(book, as_of=judging.as_of)
    spells = spells_of(book, terms, after)
    onsets = onsets_of(book, paid, terms, spells, judging)
    is_kept = _all_satisfied(book, terms, after)
    is_ended = status == "DEACTIVATED"
    given_up = is_ended & ~is_kept & (_unpaid(book, terms) > 0) & judging.rules.provider_deactivated
    # A plan that its provider gave up is broken from that day on, as if a term had been overdue since.
    ends = _ends(book, given_up, after)
    episodes = episodes_of(pl.concat([spells.select("plan", "start", "end"), ends]).sort("plan", "start"))
    broken = _broken(book, episodes, pl.concat([onsets, ends.select("plan", day="start")]))
    broken = cured_on(broken, episodes, book, terms, after=after, probation=judging.rules.probation)
    first = broken.unique("plan", keep="first", maintain_order=True)
    last = broken.unique("plan", keep="last", maintain_order=True)
    size = book.plans.height
    again = last.join(first, on=["plan", "broken_on"], how="anti")
    is_broken = mark(last.filter(_lasts(last, after))["plan"], size)
    was_cured = mark(first.filter(~_lasts(first, after))["plan"], size)
    is_late = mark(spells.filter(_lasts(spells, after) & (spells["late_from"] < spells["end"]))["plan"], size)
    facts = pl.DataFrame(
        {
            "status": _told(book, status),
            "is_kept": is_kept,
            "is_over": is_ended & ~given_up,
            "is_broken": is_broken,
            "was_cured": was_cured,
            "is_late": is_late,
            "broken_at": place(first["plan"], first["broken_on"], size),
            "cured_at": place(first["plan"], first["end"], size).set(~was_cured, None),
            "redefaulted_at": place(again["plan"], again["broken_on"], size),
            "kept_so_far": _kept_so_far(book, terms, after),
        }
    )
    days = (pl.col(name).cast(pl.Int32).cast(pl.Date) for name in ("broken_at", "cured_at", "redefaulted_at"))
    return facts.select(_outcome().alias("outcome"), *days, "kept_so_far")


def _outcome() -> pl.Expr:
    """Return the first word that fits: what the provider did with the plan, then how it went."""
    told = pl.col("status").is_in(["PROPOSED", "REJECTED", "SUPERSEDED"])
    return (
        pl.when(told)
        .then("status")
        .when(pl.col("status") == "DELETED")
        .then(pl.lit("CANCELLED"))
        .when("is_kept")
        .then(pl.lit("KEPT"))
        .when("is_over")
        .then(pl.lit("CANCELLED"))
        .when(pl.col("is_broken") & pl.col("was_cured"))
        .then(pl.lit("REDEFAULT"))
        .when("is_broken")
        .then(pl.lit("BROKEN"))
        .when("is_late")
        .then(pl.lit("AT_RISK"))
        .when("was_cured")
        .then(pl.lit("CURED"))
        .otherwise(pl.lit("ON_TRACK"))
    )


def _lasts(times: pl.DataFrame, after: pl.Series) -> pl.Series:
    """Tell which of these times had not ended on the last day of their plan."""
    return times["end"] >= after.gather(times["plan"])


def _told(book: Book, status: pl.Series) -> pl.Series:
    """Return the status by which a plan is judged: one that left was proposed or in force until then."""
    before = pl.when("is_approved").then(pl.lit("ACTIVE")).otherwise(pl.lit("PROPOSED"))
    return book.plans.select(pl.when(has_left(book)).then(before).otherwise(pl.lit(status))).to_series()


def _all_satisfied(book: Book, terms: pl.DataFrame, after: pl.Series) -> pl.Series:
    """Tell per plan whether all terms it lists were satisfied, before those due after its end were voided."""
    is_met = terms["payable"] - terms["received_minor"] <= terms["tolerance_minor"]
    by_then = (terms["judged_on"].cast(pl.Int64) < book.segments.spread(after)).fill_null(value=True)
    listed = book.segments.count(terms["is_listed"])
    return (listed > 0) & (book.segments.count(terms["is_listed"] & is_met & by_then) == listed)


def _unpaid(book: Book, terms: pl.DataFrame) -> pl.Series:
    """Return what remained of each plan before its end made terms void; what the provider took out counts no more."""
    voided = book.segments.total_where(terms["waived_minor"], book.terms["is_listed"])
    return voided + book.segments.total(terms["outstanding_minor"])


def _ends(book: Book, chosen: pl.Series, after: pl.Series) -> pl.DataFrame:
    """Return the time from the end of each of these plans on, as a span that lasts."""
    spans = book.plans.select(plan=pl.int_range(pl.len()), start=pl.col("closes_on").cast(pl.Int64), end=after)
    return spans.filter(chosen)


def _broken(book: Book, episodes: pl.DataFrame, onsets: pl.DataFrame) -> pl.DataFrame:
    """Return the episodes in which a rule began to hold: `plan, broken_on, end`, by plan and day.

    What happens after a plan was over does not break it any more.
    """
    closes_on = book.plans["closes_on"].cast(pl.Int64).gather(onsets["plan"])
    onsets = onsets.filter((pl.col("day") <= pl.lit(closes_on)).fill_null(value=True))
    starts = packed(episodes["plan"], episodes["start"])
    # The last episode that began on or before the day.
    at = starts.search_sorted(packed(onsets["plan"], onsets["day"]), side="right").cast(pl.Int64) - 1
    at = at.set(at < 0, None)
    # What satisfied terms lack may exceed a share of the plan on days in no episode; the one before may be another plan's.
    is_inside = (episodes["plan"].gather(at) == onsets["plan"]) & (onsets["day"] < episodes["end"].gather(at))
    inside = onsets.select("day", episode=at).filter(is_inside.fill_null(value=False))
    first = inside.group_by("episode").agg(broken_on=pl.col("day").min())
    numbered = episodes.with_row_index("episode").with_columns(pl.col("episode").cast(pl.Int64))
    return numbered.join(first, on="episode", how="inner", maintain_order="left").select("plan", "broken_on", "end")


def _kept_so_far(book: Book, terms: pl.DataFrame, after: pl.Series) -> pl.Series:
    """Return per plan whether every term whose deadline passed was satisfied by it; null where none has passed.

    A term that asks for no more than its tolerance was kept whenever it fell due.
    """
    deadline = terms["due_date"].cast(pl.Int64) + book.segments.spread(book.grace)
    is_evaluated = (
        terms["counts"]
        & (terms["state_number"] != STATES.index("WAIVED"))
        & (deadline < book.segments.spread(after) - 1)
    )
    in_time = terms["is_satisfied"] & (terms["judged_on"].cast(pl.Int64) <= deadline).fill_null(value=False)
    in_time = in_time | (terms["payable"] <= terms["tolerance_minor"])
    evaluated, kept = book.segments.count(is_evaluated), book.segments.count(is_evaluated & in_time)
    return (evaluated == kept).set(evaluated == 0, None)
