"""Compare each plan's terms with those its own rules give.

In two steps. `expect` comes before the positions, because months past due are counted
from the nominal date of a term; `judge` comes after them, because only plans in force
are judged. How schedules are made, paired and explained is in `schedules/`,
`pairing.py` and `why.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.conventions import Conventions
from schemas.results import PLAN_POSITIONS, TERM_POSITIONS
from schemas.schedules import DIFFERENCES, EXPECTED_TERMS, PAIRS
from schemas.table import sorted_by
from transforms.calendars.closed_days import Calendar
from transforms.conformance.pairing import Paired, comparable, pair
from transforms.conformance.remembered import nothing_remembered
from transforms.conformance.why import explain_pairs
from transforms.schedules.regenerate import regenerate
from transforms.segments import changes, number_of, place, put, row_numbers, rows_of

_EXPECTED = ("expected_due_date", "expected_amount_minor")


@dataclass(frozen=True, slots=True)
class Expectations:
    """The terms that the rules of some plans give, and which of the provider's terms is which of them.

    `rules`: `PLAN_RULES` of the plans compared. `expected`: `EXPECTED_TERMS`. `missing`: `NOT_REGENERABLE`.
    `shown`: `plan_no, term_no, due_date, amount_minor` of the provider's terms that count. `paired`: which of them is which
    expected one. `numbers`: `plan_no, term_no` of every term given, and `at`, the row of the expected one.
    """

    rules: pl.DataFrame
    custom: pl.DataFrame
    expected: pl.DataFrame
    missing: pl.DataFrame
    shown: pl.DataFrame
    paired: Paired
    numbers: pl.DataFrame


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
    numbered = terms.select("plan_no", _ordinal(terms["plan_no"]).alias("term_no"), "due_date", "amount_minor")
    is_gone = (terms["removed_on"] <= as_of).fill_null(value=False)
    shown = numbered.filter(~is_gone) if is_gone.any() else numbered
    made = regenerate(rules, custom, conventions=conventions, calendars=calendars)
    expected = EXPECTED_TERMS.gate(made.terms)
    paired = pair(shown, expected, comparable(rules, made.missing))
    at = place((~is_gone).arg_true(), paired.at, terms.height) if is_gone.any() else paired.at
    numbers = numbered.select("plan_no", "term_no", at.alias("at"))
    return Expectations(rules, custom, expected, made.missing, shown, paired, numbers)


def with_nominal_dates(terms: pl.DataFrame, expectations: Expectations) -> pl.DataFrame:
    """Return the `TERMS` given to `expect`, each with the nominal date of the expected term it is paired with, where it had none."""
    nominal = expectations.expected["nominal_due_date"].gather(expectations.numbers["at"])
    return terms.with_columns(pl.coalesce("nominal_due_date", nominal.alias("_nominal")))


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
    """Return positions, which have passed their gates, with expected dates, amounts and conformance, and every difference with its reason.

    `conformance`: CONFORMS; DIFFERS; DATES_ONLY where the dates agree and amounts cannot be judged;
    NOT_REGENERABLE, with the input in `missing_input`; NOT_APPLICABLE for plans without rules of their own or not in force.
    Reasons that are `remembered` (`remembered.REASONS`) are not looked for again.
    """
    in_force = plans.filter("is_in_force")["plan_no"].sort()
    judged = sorted_by(expectations.rules.filter(pl.col("plan_no").is_in(in_force.implode())), "plan_no")
    differences, reasons = DIFFERENCES.empty(), nothing_remembered()
    pairs = PAIRS.empty()
    if judged.height:
        explained = explain_pairs(
            expectations.paired,
            expectations.shown,
            expectations.expected,
            judged,
            expectations.custom,
            conventions=conventions,
            calendars=calendars,
            remembered=remembered,
        )
        differences, reasons = DIFFERENCES.gate(explained.differences), explained.reasons
        pairs = PAIRS.gate(explained.pairs)
    return Conformed(
        PLAN_POSITIONS.gate(_with_conformance(plans, judged, expectations, differences)),
        TERM_POSITIONS.gate(_with_expected(terms, in_force, expectations, pairs), changed=_EXPECTED),
        differences,
        reasons,
    )


def _ordinal(plan_nos: pl.Series) -> pl.Series:
    """Return the number of each term in its plan, from 1; terms are in plan order."""
    is_first = changes(plan_nos)
    # Rows count from the one before the first of their plan, which stands at the number of the plan's run, from 1.
    before = pl.concat([pl.Series([None], dtype=pl.Int64), is_first.arg_true().cast(pl.Int64) - 1])
    return row_numbers(len(plan_nos)) - before.gather(is_first.cum_sum())


def _with_expected(
    terms: pl.DataFrame, in_force: pl.Series, expectations: Expectations, pairs: pl.DataFrame
) -> pl.DataFrame:
    """Return the terms of plans in force with date and amount of the expected term each is paired with.

    The plans of `pairs` are paired as it says, all others as they were before anything was explained.
    """
    numbers, expected = expectations.numbers, expectations.expected
    named = pairs.filter(pl.col("term_no").is_not_null())
    at = put(
        numbers["at"],
        rows_of(numbers["plan_no"], numbers["term_no"], named.select("plan_no", "term_no")),
        rows_of(expected["plan_no"], expected["sequence"], named.select("plan_no", "sequence")),
    )
    if not terms["plan_no"].equals(numbers["plan_no"]):
        at = at.gather(rows_of(numbers["plan_no"], numbers["term_no"], terms.select("plan_no", "term_no")))
    at = at.set(number_of(in_force, terms["plan_no"]).is_null(), None)
    return terms.with_columns(expected.select(pl.col(_EXPECTED).gather(at)))


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
