"""The command `explain`: how every figure of one plan comes about, from the warehouse alone."""

import difflib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl

from flows import clock
from flows.configuration import load, require_validation
from flows.errors import UsageError
from flows.settings import Settings
from flows.steps.compute import Inputs, Part, compute_part
from flows.steps.inputs import read_inputs
from providers import PROVIDERS
from reports.explanation import as_json, as_text
from schemas.core import WHO
from schemas.explanation import Assumed, Explanation
from schemas.options import OutcomeRules
from sql.core import images
from sql.origins import origins
from sql.runs import known_load, loaded_at
from sql.warehouse import Warehouse
from transforms.conformance.judge import expect
from transforms.explanation.case import Case, case_of
from transforms.explanation.plan import explain_plan

MOST_NAMED = 5
"""Ids that a message about an unknown one lists."""
WAITS = 3
"""Times that a warehouse held by another process is asked for again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: a plan by its id, at one provider and tenant or wherever it is."""

    plan: str
    provider: str | None = None
    tenant: str | None = None
    as_of: date | None = None
    known_at: datetime | None = None


def explain(config: Path | None, wanted: Wanted, *, style: str) -> int:
    """Print how the figures of a plan come about and return 0.

    Raises:
        UsageError: nothing was loaded by then, the date lies ahead, or the plan is unknown or not the only one of its id.
        Busy: a run is writing the warehouse.
    """
    settings = load(config)
    require_validation()
    as_of = _as_of(settings, wanted.as_of)
    with _opened(settings) as warehouse:
        told = explained(warehouse, settings, wanted, as_of=as_of)
    sys.stdout.write((as_json(told) if style == "json" else as_text(told)) + "\n")
    return 0


def explained(warehouse: Warehouse, settings: Settings, wanted: Wanted, *, as_of: date) -> Explanation:
    """Return the explanation of the one plan that is wanted, from what the warehouse knew."""
    con, known_at = warehouse.con, wanted.known_at
    known = known_load(con, known_at.replace(tzinfo=UTC) if known_at and known_at.tzinfo is None else known_at)
    if known == 0:
        when = f" by {known_at}" if known_at else ""
        raise UsageError(f"nothing was loaded{when}; call `planrecon run` first, or give a later --known-at")
    inputs = read_inputs(con, known, as_of=as_of, settings=settings)
    plan_no = _the_plan(inputs.plans, wanted, as_of)
    number = pl.Series("plan_no", [plan_no])
    terms = images.terms(con, known, number)
    return explanation_of(con, inputs, compute_part(inputs, number, terms), plan_no, terms=terms, settings=settings)


def explanation_of(
    con: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    part: Part,
    plan_no: int,
    *,
    terms: pl.DataFrame,
    settings: Settings,
) -> Explanation:
    """Return the explanation of one plan of a part that was computed whole.

    Args:
        con: The warehouse that `inputs` were read from.
        inputs: The whole portfolio.
        part: The results of the plan, and maybe of others.
        plan_no: The plan.
        terms: `TERMS` of the part.
        settings: The configuration.
    """
    case = _case(inputs, part, plan_no, terms)
    payments = [row["payment_no"] for row in case.payments]
    provider = case.plan["provider"]
    return explain_plan(
        case,
        origins(con, inputs.known, plan_no, payments),
        conventions=inputs.conventions[provider],
        assumptions=_assumed(settings, provider),
        broken_rules=_rules(inputs.rules),
        known_load=inputs.known,
        known_at=loaded_at(con, inputs.known),
    )


def _case(inputs: Inputs, part: Part, plan_no: int, terms: pl.DataFrame) -> Case:
    """Return the plan as a run computes it, beside what its figures rest on."""
    of_plan = pl.col("plan_no") == plan_no
    plans, own, payments, rules, custom = (
        frame.filter(of_plan)
        for frame in (inputs.plans, terms, inputs.payments, inputs.plan_rules, inputs.custom_terms)
    )
    expected = expect(
        own, rules, custom, as_of=inputs.as_of, conventions=inputs.conventions, calendars=inputs.calendars
    )
    return case_of(
        plans,
        own,
        payments,
        plans=part.plans.filter(of_plan),
        term_positions=part.terms.filter(of_plan),
        payment_positions=part.payments.filter(of_plan),
        differences=part.differences.filter(of_plan),
        traces=expected.expected,
        pauses=inputs.pauses.stopping,
        judges_schedule=rules.height > 0,
        as_of=inputs.as_of,
        options=inputs.options,
    )


def _as_of(settings: Settings, given: date | None) -> date:
    today = clock.today(settings.zone())
    if given is not None and given > today:
        raise UsageError(f"the as-of date {given} lies in the future; give {today} or an earlier one")
    return given or today


@contextmanager
def _opened(settings: Settings) -> Iterator[Warehouse]:
    kept = settings.warehouse
    with Warehouse.open(
        kept.path, state_dir=kept.state_dir, read_only=True, folders=[settings.reports.dir.absolute()], tries=WAITS
    ) as warehouse:
        yield warehouse


def _the_plan(plans: pl.DataFrame, wanted: Wanted, as_of: date) -> int:
    """Return the number of the one plan that is meant; the message about none or several says which there are."""
    asked = {"provider": wanted.provider, "tenant_id": wanted.tenant}
    named = [pl.col(name) == value for name, value in asked.items() if value]
    there = plans.filter(*named) if named else plans
    found = there.filter(pl.col("plan_id") == wanted.plan).sort(*WHO)
    if found.height == 1:
        return int(found["plan_no"][0])
    if found.height:
        rows = found.select(*WHO, "plan_id", "customer_id").iter_rows()
        listed = "; ".join(
            f"--provider {provider} --tenant {tenant}: plan {plan}, customer {customer or 'unknown'}"
            for provider, tenant, plan, customer in rows
        )
        raise UsageError(f"{found.height} plans are called {wanted.plan!r}; say which one: {listed}")
    near = difflib.get_close_matches(wanted.plan, there["plan_id"].to_list(), n=MOST_NAMED, cutoff=0.5)
    hint = f"the nearest are {', '.join(near)}" if near else "`planrecon query` with v_plans lists them"
    where = "".join(f" at {value}" for value in asked.values() if value)
    raise UsageError(f"no plan{where} is called {wanted.plan!r} on {as_of}; {hint}")


def _assumed(settings: Settings, provider: str) -> list[Assumed]:
    section = settings.providers.configured().get(provider)
    overridden = section.assumed if section is not None else {}
    known = PROVIDERS[provider].ASSUMED
    return [Assumed(key, overridden.get(key, entry.value), entry.about, entry.rows) for key, entry in known.items()]


def _rules(rules: OutcomeRules) -> str:
    return "; ".join(f"{field.name} {getattr(rules, field.name)}" for field in fields(rules))
