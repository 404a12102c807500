"""Explain one plan: find it, have it computed as a run computes it, and put what its figures rest on beside it."""

import difflib
from dataclasses import dataclass, fields
from datetime import date, datetime

import duckdb
import polars as pl

from flows.errors import UsageError
from flows.settings import Settings
from flows.steps.compute import Inputs, Part, compute_part
from providers import PROVIDERS
from schemas.core import WHO
from schemas.explanation import Assumed, Explanation
from schemas.options import OutcomeRules
from sql.core import images
from sql.origins import origins
from sql.runs import loaded_at
from transforms.conformance.judge import expect
from transforms.explanation.case import Case, case_of
from transforms.explanation.plan import explain_plan

MOST_NAMED = 5
"""Ids that a message about an unknown one lists."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: a plan by its id or a break by its fingerprint, at one provider and tenant or wherever it is."""

    what: str
    provider: str | None = None
    tenant: str | None = None
    as_of: date | None = None
    known_at: datetime | None = None


def explained(con: duckdb.DuckDBPyConnection, inputs: Inputs, plan_no: int, settings: Settings) -> Explanation:
    """Return the explanation of one plan, which alone is computed."""
    number = pl.Series("plan_no", [plan_no])
    terms = images.terms(con, inputs.known, number)
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
        assumptions=assumed_of(settings, provider),
        broken_rules=rules_told(inputs.rules),
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


def the_plan(plans: pl.DataFrame, wanted: Wanted, as_of: date) -> int:
    """Return the number of the one plan that is meant; the message about none or several says which there are."""
    asked = {"provider": wanted.provider, "tenant_id": wanted.tenant}
    named = [pl.col(name) == value for name, value in asked.items() if value]
    there = plans.filter(*named) if named else plans
    found = there.filter(pl.col("plan_id") == wanted.what).sort(*WHO)
    if found.height == 1:
        return int(found["plan_no"][0])
    if found.height:
        rows = found.select(*WHO, "plan_id", "customer_id").iter_rows()
        listed = "; ".join(
            f"--provider {provider} --tenant {tenant}: plan {plan}, customer {customer or 'unknown'}"
            for provider, tenant, plan, customer in rows
        )
        raise UsageError(f"{found.height} plans are called {wanted.what!r}; say which one: {listed}")
    near = difflib.get_close_matches(wanted.what, there["plan_id"].to_list(), n=MOST_NAMED, cutoff=0.5)
    hint = (
        f"the nearest are {', '.join(near)}"
        if near
        else '`planrecon query "select plan_id, status from v_plans"` lists them'
    )
    where = "".join(f" at {value}" for value in asked.values() if value)
    raise UsageError(f"no plan{where} is called {wanted.what!r} on {as_of}; {hint}")


def assumed_of(settings: Settings, provider: str) -> list[Assumed]:
    """Return what is assumed of the provider, as the configuration has it."""
    section = settings.providers.configured().get(provider)
    overridden = section.assumed if section is not None else {}
    known = PROVIDERS[provider].ASSUMED
    return [Assumed(key, overridden.get(key, entry.value), entry.about, entry.rows) for key, entry in known.items()]


def rules_told(rules: OutcomeRules) -> str:
    """Write the rules by which a plan is broken: each with its value, 0 or False where it is off."""
    return "; ".join(f"{field.name} {getattr(rules, field.name)}" for field in fields(rules))
