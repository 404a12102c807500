"""Explain why a provider's schedule differs from its own rules: by the smallest change of conventions that gives its values.

One change is tried first, then two; all that fit are named. A change that gives the
whole plan outranks one that gives a single term. Differences that no change
gives stay UNEXPLAINED.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

import polars as pl

from schemas.conventions import Conventions
from schemas.schedules import DIFFERENCES, PAIRS
from transforms.calendars.closed_days import Calendar
from transforms.conformance.changes import discover
from transforms.conformance.combinations import Combination
from transforms.conformance.counterfactuals import PLAIN_NOTES, Means, attempt, by_date, compare, told_by_one, twos
from transforms.conformance.pairing import Paired
from transforms.conformance.reasons_chosen import ANSWER, PAIR, Answers, reasoned, rounded
from transforms.conformance.remembered import cases_of, nothing_remembered, of_cases, of_plans
from transforms.conformance.sentences import TIMEZONE, UNEXPLAINED, explanation

_PAIRED = ("DATE_AND_AMOUNT", "DATE", "AMOUNT", "ORDINAL", "RULE")


@dataclass(frozen=True, slots=True)
class Explained:
    """`DIFFERENCES`, and `PAIRS` of the plans that do not agree in every term; one that a changed convention gives whole is paired by that schedule.

    `reasons` are those that were looked for, as `remembered.REASONS`.
    """

    differences: pl.DataFrame
    pairs: pl.DataFrame
    reasons: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Case:
    """The plans that differ: their rules, both sides of terms, both sides by date, and the pairs."""

    rules: pl.DataFrame
    shown: pl.DataFrame
    expected: pl.DataFrame
    theirs: pl.DataFrame
    ours: pl.DataFrame
    pairs: pl.DataFrame


def explain_pairs(
    paired: Paired,
    terms: pl.DataFrame,
    expected: pl.DataFrame,
    rules: pl.DataFrame,
    custom: pl.DataFrame,
    *,
    conventions: Mapping[str, Conventions],
    calendars: Mapping[str, Calendar],
    remembered: pl.DataFrame | None = None,
) -> Explained:
    """Return every difference with its reason and one sentence, and the pairs it is based on.

    A difference is a term on one side only, an unclear pair, another date, or another amount (a
    pair that differs in both gives two). Reasons: a set joined by `+`, ties by `|`; empty for terms
    without a partner unless a changed convention gives the whole plan.

    Args:
        paired: The pairs; plans without rules are left out.
        terms: `plan_no, term_no, due_date, amount_minor`: the provider's terms that were paired.
        expected: `EXPECTED_TERMS` that were paired; the trace is used in the sentence.
        rules: `PLAN_RULES` of the plans.
        custom: `CUSTOM_TERMS`.
        conventions: The ones `expected` was made with, by `convention_set`.
        calendars: By the name in `calendar`.
        remembered: `remembered.REASONS` found before; None: nothing.

    Returns:
        Differences are the provider's less the expected. Where every term of every plan of a set of
        conventions is one day off in one direction, the reason is TIMEZONE and nothing else is tried.
    """
    pairs = paired.apart.join(rules, on="plan_no", how="semi", maintain_order="left")
    apart = (pl.col("difference_days") != 0) | (pl.col("difference_minor") != 0).fill_null(value=False)
    is_apart = apart.fill_null(value=False) | ~pl.col("paired_by").is_in(list(_PAIRED))
    plans = pairs.filter(is_apart).select("plan_no").unique()
    if plans.is_empty():
        return Explained(DIFFERENCES.empty(), pairs, nothing_remembered())
    case = _case(plans, pairs, terms, expected, rules)
    others = pl.concat([paired.alike, pairs.join(plans, on="plan_no", how="anti")["plan_no"]])
    zoned = _in_another_zone(case, rules.filter(pl.col("plan_no").is_in(others.implode())))
    means = Means(custom, conventions, calendars)
    known = nothing_remembered() if remembered is None else remembered
    judged, found = _recalled(_kept(case, zoned, how="anti"), means, known)
    valued = _valued(pl.concat([judged, _by_zone(case, zoned)]), case)
    return Explained(_finished(valued), _rejoined(pairs, valued), found)


def _case(
    plans: pl.DataFrame, pairs: pl.DataFrame, terms: pl.DataFrame, expected: pl.DataFrame, rules: pl.DataFrame
) -> _Case:
    is_apart = pl.col("plan_no").is_in(plans["plan_no"].implode())
    own = [frame.filter(is_apart) for frame in (rules, terms, expected, pairs)]
    theirs = by_date(own[1], "term_no", "due_date", "amount_minor")
    ours = by_date(own[2], "sequence", "expected_due_date", "expected_amount_minor")
    return _Case(own[0], own[1], own[2], theirs, ours, own[3])


def _kept(case: _Case, plans: pl.DataFrame, *, how: Literal["semi", "anti"]) -> _Case:
    frames = (case.rules, case.shown, case.expected, case.theirs, case.ours, case.pairs)
    return _Case(*(frame.join(plans, on="plan_no", how=how) for frame in frames))


def _recalled(case: _Case, means: Means, known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what `_judged` does, and the reasons used for it; only what is not `known` is judged, one plan of each case."""
    means = replace(means, custom=means.custom.join(case.rules, on="plan_no", how="semi"))
    cases = cases_of(case.rules, (getattr(case, each.name) for each in fields(case)), means)
    new = cases.join(known, on="case", how="anti").unique("case", keep="first", maintain_order=True)
    used = known.join(cases, on="case", how="semi")
    if new.height:
        used = pl.concat([used, of_cases(_judged(_kept(case, new, how="semi"), means), new)])
    return of_plans(used, cases), used


def _in_another_zone(case: _Case, others: pl.DataFrame) -> pl.DataFrame:
    """Return `plan_no` of the sets of conventions all of whose terms are one day off in one direction.

    Args:
        case: The plans that differ.
        others: `PLAN_RULES` of the plans that have terms and do not.
    """
    sets = case.rules.select("plan_no", "convention_set").join(others, on="convention_set", how="anti")
    # By order of dates, because a day's difference can pair a term with its neighbour.
    joined = case.ours.join(case.theirs, on=["plan_no", "ordinal"], how="full", coalesce=True, suffix="_theirs")
    off = (pl.col("date_theirs") - pl.col("date")).dt.total_days()
    by_set = (
        sets.join(joined, on="plan_no", how="inner")
        .group_by("convention_set")
        .agg(low=off.min(), high=off.max(), whole=off.is_not_null().all(), terms=pl.len())
    )
    shifted = by_set.filter(
        pl.col("whole") & (pl.col("low") == pl.col("high")) & (pl.col("low").abs() == 1) & (pl.col("terms") > 1)
    )
    return sets.join(shifted, on="convention_set", how="semi").select("plan_no")


def _judged(case: _Case, means: Means) -> pl.DataFrame:
    """Return `plan_no, term_no, sequence, paired_by` and reason and words for date and amount of each."""
    changes = discover()
    base = compare(case.theirs, case.ours)
    differing = _differing(case)
    singles: list[Combination] = [(change,) for change in changes]
    tried = attempt(singles, case.rules, case.theirs, differing, means=means)
    first = Answers.of(tried, singles, base)
    still_open = _unanswered(case, base, first, differing)
    rules, theirs, apart = (
        frame.join(still_open, on="plan_no", how="semi") for frame in (case.rules, case.theirs, differing)
    )
    doubles = twos(changes)
    noted = case.expected.filter(~pl.col("notes").is_in(PLAIN_NOTES)).select("plan_no")
    known = told_by_one(doubles, singles, tried.plain.join(noted, on="plan_no", how="anti"))
    second = Answers.of(attempt(doubles, rules, theirs, apart, means=means, known=known), doubles, base)
    return reasoned(_repaired(case, first, second), rounded(case.theirs, case.ours, base), first, second)


def _differing(case: _Case) -> pl.DataFrame:
    """Return the provider's values of the pairs that differ, null where that one does not."""
    days, minor = ((pl.col(f"difference_{name}") != 0).fill_null(value=False) for name in ("days", "minor"))
    rows = case.pairs.filter(days | minor)
    return rows.join(case.shown, on=["plan_no", "term_no"], validate="1:1").select(
        "plan_no",
        "sequence",
        due_date=pl.when(days).then("due_date"),
        amount_minor=pl.when(minor).then("amount_minor"),
    )


def _unanswered(case: _Case, base: pl.DataFrame, first: Answers, differing: pl.DataFrame) -> pl.DataFrame:
    """Return `plan_no` of the plans in which one change leaves a date or an amount open."""
    unanswered = [differing.select("plan_no").clear()]
    pairs = case.pairs.join(differing.select("plan_no", "sequence"), on=["plan_no", "sequence"], how="semi")
    for kind, column in (("dates", "difference_days"), ("amounts", "difference_minor")):
        apart = pairs.filter((pl.col(column) != 0).fill_null(value=False))
        without = apart.join(first.terms[kind], on=["plan_no", "sequence"], how="anti")
        if kind == "amounts":
            without = without.join(rounded(case.theirs, case.ours, base), on="plan_no", how="anti")
        unanswered.append(without.join(first.plans[kind], on="plan_no", how="anti").select("plan_no"))
    counts = (
        case.theirs.group_by("plan_no")
        .len()
        .join(case.ours.group_by("plan_no").len(), on=["plan_no", "len"], how="semi")
    )
    alone = case.pairs.filter(~pl.col("paired_by").is_in(list(_PAIRED))).join(counts, on="plan_no", how="semi")
    unanswered.append(alone.join(first.plans["dates"], on="plan_no", how="anti").select("plan_no"))
    return pl.concat(unanswered).unique()


def _repaired(case: _Case, first: Answers, second: Answers) -> pl.DataFrame:
    """Return the pairs, by the changed schedule where one change, or else two, give every date of the plan."""
    by_one = first.orders.select("plan_no").unique()
    orders = pl.concat([first.orders, second.orders.join(by_one, on="plan_no", how="anti")])
    return pl.concat([case.pairs.join(orders, on="plan_no", how="anti").select(PAIR), _ruled(case, orders)])


def _ruled(case: _Case, orders: pl.DataFrame) -> pl.DataFrame:
    """Pair the k-th term of the provider with the k-th of `orders`; sequences our schedule lacks have no partner."""
    by_rule = case.theirs.join(orders, on=["plan_no", "ordinal"], validate="1:1")
    own = case.expected.join(orders, on="plan_no", how="semi").select("plan_no", "sequence")
    pairs = by_rule.select("plan_no", "sequence", term_no="place").join(
        own.with_columns(is_ours=pl.lit(value=True)),
        on=["plan_no", "sequence"],
        how="full",
        coalesce=True,
        validate="1:1",
    )
    is_extra, is_missing = pl.col("is_ours").is_null(), pl.col("term_no").is_null()
    named = pl.when(is_missing).then(pl.lit("MISSING")).when(is_extra).then(pl.lit("EXTRA")).otherwise(pl.lit("RULE"))
    return pairs.select("plan_no", "term_no", sequence=pl.when(~is_extra).then("sequence"), paired_by=named)


def _by_zone(case: _Case, zoned: pl.DataFrame) -> pl.DataFrame:
    mine = case.ours.join(zoned, on="plan_no", how="semi").select("plan_no", "ordinal", sequence="place")
    theirs = case.theirs.join(mine, on=["plan_no", "ordinal"], validate="1:1")
    none = pl.lit(None, dtype=pl.String)
    return theirs.select(
        "plan_no",
        "sequence",
        term_no="place",
        paired_by=pl.lit("RULE"),
        dates=pl.lit(TIMEZONE),
        dates_says=none,
        amounts=none,
        amounts_says=none,
    ).select(*PAIR, *ANSWER)


def _valued(reasons: pl.DataFrame, case: _Case) -> pl.DataFrame:
    """Add what both sides say, and by how much they differ."""
    ours = case.expected.drop("notes")
    joined = reasons.join(case.shown, on=["plan_no", "term_no"], how="left", validate="m:1")
    joined = joined.join(ours, on=["plan_no", "sequence"], how="left", validate="m:1")
    return joined.with_columns(
        difference_days=(pl.col("due_date") - pl.col("expected_due_date")).dt.total_days(),
        difference_minor=pl.col("amount_minor") - pl.col("expected_amount_minor"),
    )


def _finished(valued: pl.DataFrame) -> pl.DataFrame:
    alone = valued.filter(~pl.col("paired_by").is_in(list(_PAIRED)))
    codes = {"MISSING": "TERM_MISSING", "EXTRA": "TERM_EXTRA", "AMBIGUOUS": "AMBIGUOUS_PAIR"}
    in_rule = (
        valued.filter(pl.col("paired_by") == "RULE").select("plan_no").unique().with_columns(by_rule=pl.lit(value=True))
    )
    alone = alone.join(in_rule, on="plan_no", how="left", validate="m:1")
    of_rule = pl.col("by_rule").fill_null(value=False)
    parts = [
        valued.filter((pl.col("difference_days") != 0).fill_null(value=False)).with_columns(
            code=pl.lit("DUE_DATE_DIFF"), reason=pl.col("dates").fill_null(UNEXPLAINED), says="dates_says"
        ),
        valued.filter((pl.col("difference_minor") != 0).fill_null(value=False)).with_columns(
            code=pl.lit("AMOUNT_DIFF"), reason=pl.col("amounts").fill_null(UNEXPLAINED), says="amounts_says"
        ),
        alone.with_columns(
            code=pl.col("paired_by").replace_strict(codes, return_dtype=pl.String),
            reason=pl.when(of_rule).then("dates").fill_null(""),
            says=pl.when(of_rule).then("dates_says"),
        ).drop("by_rule"),
    ]
    whole = pl.concat([part.select(sorted(part.columns)) for part in parts])
    told = whole.with_columns(calendar_date=pl.coalesce("nominal_due_date", "due_date"), explanation=explanation())
    return told.select(DIFFERENCES.columns).sort("plan_no", "term_no", "sequence", "code", nulls_last=True)


def _rejoined(pairs: pl.DataFrame, valued: pl.DataFrame) -> pl.DataFrame:
    """Put the pairs by rule in place of what the passes found for those plans."""
    by_rule = valued.filter(pl.col("paired_by") == "RULE").select("plan_no").unique()
    if by_rule.is_empty():
        return pairs
    ordered = ("plan_no", "term_no", "sequence")
    new = valued.join(by_rule, on="plan_no", how="semi").select(PAIRS.columns).sort(ordered, nulls_last=True)
    kept = pairs.filter(~pl.col("plan_no").is_in(by_rule["plan_no"].implode())).select(PAIRS.columns)
    return kept.merge_sorted(new, key="plan_no") if kept.height else new
