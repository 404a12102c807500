"""Compare each plan's terms with those its own rules give.

In two steps. `expect` comes before the positions, because months past due are counted
from the nominal date of a term; `judge` comes after them, because only plans in force
are judged. How schedules are made, paired and explained is in `schedules/`,
`pairing.py` and `why.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from schemas.conventions import Conventions
from schemas.results import PLAN_POSITIONS, TERM_POSITIONS
from schemas.schedules import DIFFERENCES, EXPECTED_TERMS, PAIRS
from transforms.calendars.closed_days import Calendar
from transforms.conformance.pairing import comparable, pair
from transforms.conformance.remembered import nothing_remembered
from transforms.conformance.why import explain_pairs
from transforms.schedules.regenerate import regenerate
from transforms.segments import number_of, place, rows_of

_EXPECTED = ("nominal_due_date", "expected_due_date", "expected_amount_minor")
"""What is told of the expected term beside the provider's."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """The terms that the rules of some plans give, and which of the provider's terms is which of them.

    `rules`: `PLAN_RULES` of the plans compared. `expected`: `EXPECTED_TERMS`. `missing`: `NOT_REGENERABLE`.
    `pairs`: `PAIRS`. `shown`: `plan_no, term_no, due_date, amount_minor` of the provider's terms that count.
    """

    rules: pl.DataFrame
    custom: pl.DataFrame
    expected: pl.DataFrame
    missing: pl.DataFrame
    pairs: pl.DataFrame
    shown: pl.DataFrame


def expect(
    terms: pl.DataFrame,
    rules: pl.DataFrame,
    custom: pl.DataFrame,
    *,
    as_of: date,
    conventions: Mapping[str, Conventions],
    calendars: Mapping[str, Calendar],
) -> Expectations:
    """Return the terms that the rules give beside those the provider shows.

    Args:
        terms: `TERMS` in plan order; a term that was removed by the as-of date does not count.
        rules: `PLAN_RULES` of these plans, each with its calendar; plans without rules are not judged.
        custom: `CUSTOM_TERMS` of these plans.
        as_of: Civil date whose end is described.
        conventions: By the name in `convention_set`.
        calendars: By the name in `calendar`.
    """
    shown = _shown(terms, rules, as_of)
    made = regenerate(rules, custom, conventions=conventions, calendars=calendars)
    expected = EXPECTED_TERMS.gate(made.terms)
    pairs = PAIRS.gate(pair(shown, expected, comparable(rules, made.missing)))
    return Expectations(rules, custom, expected, made.missing, pairs, shown)


def with_nominal_dates(terms: pl.DataFrame, expectations: Expectations) -> pl.DataFrame:
    """Return `TERMS`, each with the nominal date of the expected term it is paired with, where it had none."""
    if expectations.pairs.is_empty():
        return terms
    found = _expected_of(expectations, terms["plan_no"], _ordinal(terms))
    return terms.with_columns(pl.coalesce("nominal_due_date", found["nominal_due_date"].alias("_nominal")))


@dataclass(frozen=True, slots=True)
class Conformed:
    """`PLAN_POSITIONS` and `TERM_POSITIONS` with what was expected, and `DIFFERENCES` of the plans in force.

    `reasons` are those that were looked for, as `remembered.REASONS`.
    """

    plans: pl.DataFrame
    terms: pl.DataFrame
    differences: pl.DataFrame
    reasons: pl.DataFrame


def judge(
    plans: pl.DataFrame,
    terms: pl.DataFrame,
    expectations: Expectations,
    *,
    conventions: Mapping[str, Conventions],
    calendars: Mapping[str, Calendar],
    remembered: pl.DataFrame | None = None,
) -> Conformed:
    """Return positions with expected dates, amounts and conformance, and every difference with its reason.

    `conformance`: CONFORMS; DIFFERS; DATES_ONLY where the dates agree and amounts cannot be judged;
    NOT_REGENERABLE, with the input in `missing_input`; NOT_APPLICABLE for plans without rules of their own or not in force.
    Reasons that are `remembered` (`remembered.REASONS`) are not looked for again.
    """
    in_force = plans.filter("is_in_force")["plan_no"].sort()
    judged = expectations.rules.join(in_force.to_frame(), on="plan_no", how="semi").sort("plan_no")
    differences, reasons = DIFFERENCES.empty(), nothing_remembered()
    if judged.height:
        explained = explain_pairs(
            _of_plans(expectations.pairs, judged["plan_no"]),
            expectations.shown,
            expectations.expected,
            judged,
            expectations.custom,
            conventions=conventions,
            calendars=calendars,
            remembered=remembered,
        )
        differences, reasons = DIFFERENCES.gate(explained.differences), explained.reasons
        expectations = replace(expectations, pairs=explained.pairs)
    return Conformed(
        PLAN_POSITIONS.gate(_with_conformance(plans, judged, expectations, differences)),
        TERM_POSITIONS.gate(_with_expected(terms, in_force, expectations)),
        differences,
        reasons,
    )


def _shown(terms: pl.DataFrame, rules: pl.DataFrame, as_of: date) -> pl.DataFrame:
    numbered = terms.select("plan_no", "due_date", "amount_minor", "removed_on", term_no=_ordinal(terms))
    there = pl.col("removed_on").is_null() | (pl.col("removed_on") > as_of)
    return (
        numbered.filter(there)
        .join(rules.select("plan_no"), on="plan_no", how="semi", maintain_order="left")
        .select("plan_no", "term_no", "due_date", "amount_minor")
    )


def _ordinal(terms: pl.DataFrame) -> pl.Series:
    """Return the number of each term in its plan, from 1; the frame is in plan order."""
    row = pl.int_range(terms.height, eager=True, dtype=pl.Int64)
    # A plan begins where its number differs from the row before; rows count from there, from 1.
    is_first = terms["plan_no"].ne_missing(terms["plan_no"].shift(1)) | (row == 0)
    first = pl.select(pl.when(is_first).then(row)).to_series().forward_fill()
    return (row - first + 1).alias("term_no")


def _of_plans(pairs: pl.DataFrame, plan_nos: pl.Series) -> pl.DataFrame:
    """Return the pairs of these plans, which are in order."""
    is_wanted = number_of(plan_nos, pairs["plan_no"]).is_not_null()
    return pairs if is_wanted.all() else pairs.filter(is_wanted)


def _expected_of(expectations: Expectations, plan_nos: pl.Series, term_nos: pl.Series) -> pl.DataFrame:
    """Return beside each of these terms, in plan order, the expected term it is paired with: nulls where there is none."""
    paired = expectations.pairs.filter(pl.col("term_no").is_not_null() & pl.col("sequence").is_not_null())
    expected = expectations.expected
    theirs = rows_of(plan_nos, term_nos, paired.select("plan_no", "term_no"))
    ours = rows_of(expected["plan_no"], expected["sequence"], paired.select("plan_no", "sequence"))
    if theirs.has_nulls():
        is_here = theirs.is_not_null()
        theirs, ours = theirs.filter(is_here), ours.filter(is_here)
    # From the row of the provider's term to the row of the expected one, and what stands there.
    at = place(theirs, ours, len(plan_nos))
    return expected.select(pl.col(_EXPECTED).gather(at))


def _with_expected(terms: pl.DataFrame, in_force: pl.Series, expectations: Expectations) -> pl.DataFrame:
    if expectations.pairs.is_empty():
        return terms
    of_plans_in_force = replace(expectations, pairs=_of_plans(expectations.pairs, in_force))
    found = _expected_of(of_plans_in_force, terms["plan_no"], terms["term_no"])
    return terms.with_columns(found["expected_due_date"], found["expected_amount_minor"])


def _with_conformance(
    plans: pl.DataFrame, judged: pl.DataFrame, expectations: Expectations, differences: pl.DataFrame
) -> pl.DataFrame:
    number = pl.col("plan_no")
    differing = differences["plan_no"].unique().implode()
    missing = expectations.missing["plan_no"].implode()
    named = expectations.missing.join(judged.select("plan_no"), on="plan_no", how="semi").select(
        "plan_no", "missing_input"
    )
    unpriced = expectations.expected.filter(pl.col("expected_amount_minor").is_null())["plan_no"].unique().implode()
    whole = plans.drop("missing_input").join(named, on="plan_no", how="left", maintain_order="left", validate="1:1")
    return whole.with_columns(
        conformance=pl.when(~number.is_in(judged["plan_no"].implode()))
        .then(pl.lit("NOT_APPLICABLE"))
        .when(number.is_in(missing))
        .then(pl.lit("NOT_REGENERABLE"))
        .when(number.is_in(differing))
        .then(pl.lit("DIFFERS"))
        .when(number.is_in(unpriced))
        .then(pl.lit("DATES_ONLY"))
        .otherwise(pl.lit("CONFORMS"))
    )
