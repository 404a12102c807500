"""Compute the results: one part of the plans at a time, then what depends on all of them.

No database, no file and no clock: `inputs.py` reads before, `publish.py` writes after.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date

import polars as pl

from checks.base import by_part, discover, merge_results, run
from checks.duplicate_payment import plans_in_question
from checks.equal_plans import plans_alike
from flows.steps.own_lists.customers import with_own_customers
from schemas.conventions import Conventions
from schemas.core import WHO
from schemas.options import Options, OutcomeRules
from schemas.table import sorted_by
from transforms.breaks.clusters import LEAST, clusters
from transforms.breaks.write_backs import agreements
from transforms.calendars.closed_days import Calendar
from transforms.conformance.judge import Expectations, expect, judge, with_nominal_dates
from transforms.conformance.remembered import nothing_remembered
from transforms.delinquency.aging import aging, aging_terms
from transforms.delinquency.buckets import bucket_set
from transforms.delinquency.pauses import Pauses
from transforms.judging import Judging
from transforms.location.references import with_references
from transforms.outcomes.rates import added, kept_rates
from transforms.outlook.backtest import Windows
from transforms.outlook.cash import LOOKED_BACK, cash, coming
from transforms.outlook.exposure import exposure
from transforms.positions import Positions, compute, unowned

PART = 50_000
"""Plans worked at a time: memory stays constant whatever the portfolio's size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What was known of the whole portfolio at load `known`, its terms excepted, and how it is judged as of one date.

    `plans` and `payments` are those of `locate.Located`, `plan_rules` those of plans that still go on, each with its
    calendar, `orphans` those that exist on the as-of date, `changes` what `write_backs.shown_by_now` returned,
    `named_links` `plan_accounts` by the providers' own ids, `rows` and `completeness` what `images.current_rows` and
    `images.completeness` did, `windows` what `backtest.windows_of` returned; `reasons` what earlier runs remembered (`remembered.REASONS`),
    every other frame is the table of its name. `options`, `conventions` and `calendars` are by provider.
    """

    known: int
    as_of: date
    options: Mapping[str, Options]
    conventions: Mapping[str, Conventions]
    calendars: Mapping[str, Calendar]
    pauses: Pauses
    rules: OutcomeRules
    plans: pl.DataFrame
    payments: pl.DataFrame
    accounts: pl.DataFrame
    plan_accounts: pl.DataFrame
    policies: pl.DataFrame
    orphans: pl.DataFrame
    integrity: pl.DataFrame
    completeness: pl.DataFrame
    rows: Mapping[tuple[str, str], int]
    plan_facts: pl.DataFrame
    term_changes: pl.DataFrame
    plan_rules: pl.DataFrame
    custom_terms: pl.DataFrame
    changes: pl.DataFrame
    agreed_terms: pl.DataFrame
    named_links: pl.DataFrame
    own_customers: pl.DataFrame
    windows: Windows
    forecasts: pl.DataFrame
    reasons: pl.DataFrame = field(default_factory=nothing_remembered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The results of some plans: `TERM_POSITIONS`, `PLAN_POSITIONS`, `PAYMENT_POSITIONS`, `DIFFERENCES`.

    `aged` is what `aging.age_terms` returned, `kept` what `rates.kept_sums` did, `checked` the `BREAKS` and
    `CHECK_RESULTS` of the checks by part, `coming` what `cash.coming` returned, `came` what `backtest.came` did, `reasons`
    the `remembered.REASONS` that were looked for.
    """

    terms: pl.DataFrame
    plans: pl.DataFrame
    payments: pl.DataFrame
    aged: pl.DataFrame
    kept: pl.DataFrame
    differences: pl.DataFrame
    checked: tuple[pl.DataFrame, pl.DataFrame]
    coming: pl.DataFrame
    came: pl.DataFrame
    reasons: pl.DataFrame

    def reduced(self, in_question: pl.Series) -> "Part":
        """Return the part with the terms that `assemble` has to see again: of these plans, and of those that differ."""
        kept = pl.concat([in_question, self.differences["plan_no"]]).unique()
        return replace(self, terms=self.terms.filter(pl.col("plan_no").is_in(kept.implode())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The whole portfolio as of one date, without its terms, which are too many to hold.

    `PLAN_POSITIONS` in key order, `PAYMENT_POSITIONS` also of money in no plan, in any order, `BREAKS` and
    `CHECK_RESULTS` of every check, `aging.aging`, `aging.aging_terms` and `KEPT`. `causes` has one sentence for each group
    of schedule breaks with one probable cause, the largest first; `cash` and `exposure` are the tables of their names.
    """

    plans: pl.DataFrame
    payments: pl.DataFrame
    breaks: pl.DataFrame
    check_results: pl.DataFrame
    aging: pl.DataFrame
    aging_terms: pl.DataFrame
    kept: pl.DataFrame
    causes: list[str]
    cash: pl.DataFrame
    exposure: pl.DataFrame


def parts_of(plans: pl.DataFrame, size: int = PART) -> Iterator[pl.Series]:
    """Yield the plan_no of each part, parts in key order; one empty part where there are no plans."""
    numbers = plans.select("plan_no", *WHO, "plan_id").sort(*WHO, "plan_id")["plan_no"]
    return (numbers.slice(start, size) for start in range(0, max(len(numbers), 1), size))


def in_question(inputs: Inputs) -> pl.Series:
    """Return the plan_no of plans whose terms have to be seen again once the whole portfolio is known."""
    frames = {
        "payment_positions": inputs.payments,
        "plan_positions": inputs.plans,
        "plan_accounts": inputs.plan_accounts,
    }
    written = inputs.changes["plan_no"].drop_nulls()
    return pl.concat([plans_in_question(frames), plans_alike(inputs.plans), written])


def compute_part(inputs: Inputs, plan_nos: pl.Series, terms: pl.DataFrame) -> Part:
    """Return the results of these plans.

    A part is a pure unit: it depends on what is given here alone, changes nothing, and needs no other part, so parts
    can be computed in any order and in any process.

    Args:
        inputs: The whole portfolio.
        plan_nos: The plans of the part; a plan belongs to one part.
        terms: All `TERMS` of these plans, in the order of `images.terms`.
    """
    conventions, calendars = inputs.conventions, inputs.calendars
    expected = _expected(inputs, plan_nos, terms)
    positions = _positions(inputs, plan_nos, with_nominal_dates(terms, expected))
    judged = judge(
        positions.plans,
        positions.terms,
        expected,
        conventions=conventions,
        calendars=calendars,
        remembered=inputs.reasons,
    )
    frames = {
        "term_positions": judged.terms,
        "plan_positions": judged.plans,
        "differences": judged.differences,
        "plan_rules": expected.rules,
        "policies": inputs.policies,
        "plan_facts": inputs.plan_facts,
        "term_changes": inputs.term_changes,
        "completeness": inputs.completeness,
    }
    checks, _ = by_part(discover())
    return Part(
        terms=judged.terms,
        plans=judged.plans,
        payments=positions.payments,
        aged=positions.aged,
        kept=positions.kept,
        differences=judged.differences,
        checked=run(checks, frames, as_of=inputs.as_of, options=inputs.options),
        coming=coming(judged.terms, judged.plans, as_of=inputs.as_of),
        came=positions.came,
        reasons=judged.reasons,
    )


def plans_of_part(inputs: Inputs, plan_nos: pl.Series, terms: pl.DataFrame) -> pl.DataFrame:
    """Return `PLAN_POSITIONS` as `compute_part` would, but for what schedules and checks say of a plan.

    Schedules are made only where a set of buckets counts months, which begin at nominal due dates.
    """
    counts_months = any(
        bucket_set(options.bucket_set).measure != "days_past_due" for options in inputs.options.values()
    )
    dated = with_nominal_dates(terms, _expected(inputs, plan_nos, terms)) if counts_months else terms
    return _positions(inputs, plan_nos, dated).plans


def _expected(inputs: Inputs, plan_nos: pl.Series, terms: pl.DataFrame) -> Expectations:
    rules, custom = of_plans(plan_nos, inputs.plan_rules, inputs.custom_terms)
    conventions, calendars = inputs.conventions, inputs.calendars
    return expect(terms, rules, custom, as_of=inputs.as_of, conventions=conventions, calendars=calendars)


def _positions(inputs: Inputs, plan_nos: pl.Series, dated: pl.DataFrame) -> Positions:
    plans, payments = of_plans(plan_nos, inputs.plans, inputs.payments)
    judging = Judging(inputs.as_of, inputs.options, inputs.pauses, inputs.rules)
    return compute(plans, dated, payments, judging, windows=inputs.windows)


def of_plans(plan_nos: pl.Series, *frames: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the rows of these plans of each frame, in its order."""
    is_wanted = pl.col("plan_no").is_in(plan_nos.implode())
    return (frame.filter(is_wanted) for frame in frames)


def together(parts: Sequence[Part]) -> Part:
    """Return parts, each whole or `reduced`, as one. Nothing of them is shared, so that they can be let go."""
    frames = {
        each.name: pl.concat([getattr(part, each.name) for part in parts], rechunk=True)
        for each in fields(Part)
        if each.name != "checked"
    }
    return Part(**frames, checked=merge_results(part.checked for part in parts))


def assemble(inputs: Inputs, part: Part) -> Result:
    """Return the result of the whole portfolio from all its parts `together`, which may have come in any order."""
    links = {name: getattr(inputs, name) for name in ("accounts", "plan_accounts", "own_customers")}
    plans = sorted_by(part.plans, *WHO, "plan_id")
    plans = with_own_customers(with_references(plans, inputs.accounts), links)
    payments = pl.concat([part.payments, unowned(inputs.payments)])
    frames = {
        **links,
        "term_positions": part.terms,
        "plan_positions": plans,
        "payment_positions": payments,
        "policies": inputs.policies,
        "differences": part.differences,
        "orphans": inputs.orphans,
        "agreements": agreements(inputs.changes, inputs.agreed_terms, plans, part.terms),
        "completeness": inputs.completeness,
    }
    _, checks = by_part(discover())
    of_the_whole = run(checks, frames, as_of=inputs.as_of, options=inputs.options)
    breaks, check_results = merge_results([part.checked, of_the_whole])
    created = plans.select("plan_no", *WHO, "created_on")
    kept = added(part.kept)
    groups = clusters(part.differences.join(created, on="plan_no", how="inner", validate="m:1"))
    return Result(
        plans=plans,
        payments=payments,
        breaks=breaks,
        check_results=check_results,
        aging=aging(plans),
        aging_terms=aging_terms(part.aged),
        kept=kept_rates(kept),
        causes=groups.filter(pl.col("breaks") >= LEAST)["explanation"].to_list(),
        cash=cash(
            part.coming,
            plans,
            kept.filter(pl.col("window_days") == LOOKED_BACK),
            forecasts=inputs.forecasts,
            came=part.came,
        ),
        exposure=exposure(plans, inputs.orphans),
    )
