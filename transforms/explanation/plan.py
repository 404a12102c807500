"""Put the explanation of one plan together: its rows, the settings and assumptions it rests on, and every figure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from schemas.conventions import Conventions
from schemas.explanation import Assumed, Explanation, Figure, Origin
from schemas.reports import REPORTS
from transforms.explanation.case import Case, closed_days
from transforms.explanation.days import day_figures
from transforms.explanation.life import life_figures
from transforms.explanation.money import money_figures
from transforms.explanation.rows import Origins, pause_rows, payment_rows, plan_row, term_rows
from transforms.explanation.settings import settings_of
from transforms.explanation.standing import standing_figures

STATED = frozenset({"status", "terms", "amount", "conformance", "provider_amount_due", "provider_outstanding"})
"""Figures that no payment has a part in."""


def explain_plan(
    case: Case,
    origins: Origins,
    *,
    conventions: Conventions,
    assumptions: Sequence[Assumed],
    broken_rules: str,
    known_load: int,
    known_at: datetime | None,
) -> Explanation:
    """Return how every figure of the plan comes about.

    Args:
        case: The plan with everything its figures rest on.
        origins: Where its rows came from: ("plan", ""), ("term", its id), ("payment", its number).
        conventions: How the provider makes its schedules.
        assumptions: What is assumed of the provider.
        broken_rules: The rules by which a plan is broken, in words.
        known_load: The load up to which the warehouse was read.
        known_at: When that load became known.
    """
    plan, terms, payments = plan_row(case, origins), term_rows(case, origins), payment_rows(case, origins)
    told = {row.name: row.origin for row in (plan, *terms, *payments)}
    paying = tuple(row.name for row in payments) if case.is_ours else ()
    made = (*standing_figures(case), *life_figures(case), *money_figures(case), *day_figures(case))
    figures = [_resting_on(each, told, paying, assumptions) for each in sorted(made, key=_place)]
    used = {name for figure in figures for name in figure.assumptions}
    return Explanation(
        provider=case.plan["provider"],
        tenant_id=case.plan["tenant_id"],
        plan_id=case.plan["plan_id"],
        currency=case.plan["currency"],
        as_of=case.as_of,
        known_load=known_load,
        known_at=known_at,
        plan=plan,
        terms=terms,
        payments=payments,
        shares=case.shares,
        pauses=pause_rows(case),
        closed_days=closed_days(case),
        differences=tuple(row["explanation"] for row in case.differences),
        settings=settings_of(case.options, conventions, broken_rules, has_pauses=bool(case.pauses)),
        figures=tuple(figures),
        assumptions=tuple(each for each in assumptions if each.name in used),
    )


def _place(figure: Figure) -> int:
    """Return where the figure stands in the plans report; what is not in it comes last."""
    names = REPORTS["plans"].names
    return names.index(figure.name) if figure.name in names else len(names)


def _resting_on(
    figure: Figure, told: Mapping[str, Origin | None], paying: Sequence[str], assumptions: Sequence[Assumed]
) -> Figure:
    """Return the figure with the assumptions on the lists from which its rows came, the plan's own list included.

    What a term received, or that nothing came, rests on the payments as well, where balances follow from them.
    """
    names = {"plan", *figure.inputs, *(() if figure.name in STATED else paying)}
    lists = {origin.entity for name in names if (origin := told.get(name)) is not None}
    return replace(figure, assumptions=tuple(each.name for each in assumptions if lists & set(each.rows)))
