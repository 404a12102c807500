"""Write an explanation out: as text that can be read aloud, and as JSON with the same content.

How figures come about is decided before; here only amounts, dates and names are put into words.
"""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from reports.explanations.rows import (
    MINOR,
    aloud,
    assumed,
    assumed_json,
    given_json,
    in_words,
    origins,
    plain,
    settings_json,
    settings_lines,
)
from reports.texts import exact, grouped, harmless, instant
from schemas.currencies import written
from schemas.explanation import Explanation, Figure

_MILLION = 1_000_000
_SHORT = 40
"""Characters of a setting that are told beside a figure."""


def as_json(told: Explanation) -> str:
    """Return the explanation as JSON: amounts as decimals in words of the currency's places, names without `_minor`."""
    money = told.currency
    whole = {
        "provider": told.provider,
        "tenant_id": told.tenant_id,
        "plan_id": told.plan_id,
        "currency": money,
        "as_of": told.as_of.isoformat(),
        "known_load": told.known_load,
        "known_at": plain(told.known_at),
        "figures": [_figure_json(each, money) for each in told.figures],
        "plan": given_json(told.plan, money),
        "terms": [given_json(each, money) for each in told.terms],
        "payments": [given_json(each, money) for each in told.payments],
        "allocations": [
            {"payment": each.payment, "term": each.term, "amount": written(each.amount_minor, money), "how": each.how}
            for each in told.shares
        ],
        "pauses": [given_json(each, money) for each in told.pauses],
        "closed_days": {day.isoformat(): name for day, name in told.closed_days.items()},
        "schedule_differences": list(told.differences),
        "settings": settings_json(told.settings),
        "assumptions": assumed_json(told.assumptions),
    }
    return exact(json.dumps(whole, ensure_ascii=False, indent=1))


def figure_value(figure: Figure, currency: str) -> Any:
    """Return a figure's value as it is shown: an amount with the currency's places, a share with six; null is unknown."""
    if figure.value is None:
        return None
    if figure.kind == "MONEY":
        return written(int(str(figure.value)), currency)
    if figure.kind == "SHARE":
        whole, part = divmod(int(str(figure.value)), _MILLION)
        return f"{whole}.{part:06d}"
    return plain(figure.value)


def as_text(told: Explanation) -> str:
    """Return the explanation as plain sentences, figures first, then what they rest on."""
    lines = [
        f"Plan {told.plan_id} at {told.provider} ({told.tenant_id}), at the end of {aloud(told.as_of)}.",
        f"As known {instant(told.known_at)} (load {told.known_load}). All amounts are in {told.currency}.",
        "",
        "FIGURES",
    ]
    for figure in told.figures:
        lines += _figure_lines(figure, told)
    lines += ["", "THE PLAN", *_plan(told)]
    lines += ["", "TERMS", *_terms(told), "", "PAYMENTS", *_payments(told), "", "WHICH PAYMENT PAID WHICH TERM"]
    lines += _shares(told)
    lines += ["", "WHERE THE ROWS COME FROM", *origins((told.plan, *told.terms, *told.payments))]
    lines += ["", "SETTINGS", *settings_lines(told.settings)]
    if told.pauses:
        lines += ["", "PAUSES, WHOSE DAYS DO NOT COUNT", *_pauses(told)]
    if told.closed_days:
        days = ", ".join(f"{aloud(day)} ({name})" for day, name in told.closed_days.items())
        lines += ["", "DAYS THAT ARE NO BUSINESS DAYS, WEEKENDS ASIDE", f"  {days}"]
    lines += ["", "ASSUMED, BECAUSE NO PAGE OF THE PROVIDER SAYS SO", *assumed(told.assumptions)]
    return "\n".join(harmless(line) for line in lines)


def _figure_json(figure: Figure, currency: str) -> dict[str, Any]:
    return {
        "name": figure.name,
        "value": figure_value(figure, currency),
        "formula": figure.formula,
        "expression": figure.expression,
        "working": figure.working,
        "inputs": list(figure.inputs),
        "settings": list(figure.settings),
        "assumptions": list(figure.assumptions),
    }


def _shown(figure: Figure, currency: str) -> str:
    value = figure.value
    if value is None:
        return "empty"
    if figure.kind == "MONEY":
        return f"{grouped(written(int(str(value)), currency))} {currency}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return aloud(value) if isinstance(value, date) else str(figure_value(figure, currency))


def _figure_lines(figure: Figure, told: Explanation) -> list[str]:
    lines = [
        "",
        f"  {figure.name.replace('_', ' ')}: {_shown(figure, told.currency)}",
        f"    {figure.formula}",
        f"    {figure.name} = {figure.expression}",
        f"    {figure.working}",
    ]
    if figure.settings:
        values = {each.name: each.value for each in told.settings}
        lines.append("    Settings: " + ", ".join(_setting(name, values[name]) for name in figure.settings) + ".")
    if figure.assumptions:
        lists = sorted(
            {each.rows[0] for each in told.assumptions if each.name in figure.assumptions and len(each.rows) == 1}
        )
        lines.append(f"    Rests on what is assumed of {', '.join(lists) or 'the lists of the provider'}; see the end.")
    return lines


def _setting(name: str, value: str) -> str:
    return f"{name} {value}" if len(value) <= _SHORT else f"{name} as told below"


def _plan(told: Explanation) -> Iterable[str]:
    shown = in_words(told.plan.facts, told.currency)
    for name, value in told.plan.facts.items():
        if value is not None:
            said = aloud(value) if isinstance(value, date) else shown[name.removesuffix(MINOR)]
            yield f"  {name.removesuffix(MINOR).replace('_', ' ')}: {said}"


def _terms(told: Explanation) -> Iterable[str]:
    for given in told.terms:
        term, money = given.facts, in_words(given.facts, told.currency)
        due = f"{given.name}: {money['amount']} due {aloud(term['due_date'])}"
        if term["nominal_due_date"] not in {None, term["due_date"]}:
            due += f", moved from {aloud(term['nominal_due_date'])}"
        if term["trace"]:
            due += f" ({term['trace']})"
        paid = f"; received {money['received']}, open {money['outstanding']}"
        state = f"; {str(term['state']).replace('_', ' ').lower()}"
        if term["satisfied_on"] is not None:
            state += f" since {aloud(term['satisfied_on'])}"
        yield f"  {due}{paid}{state}."
    if not told.terms:
        yield "  none"


def _payments(told: Explanation) -> Iterable[str]:
    for given in told.payments:
        row = given.facts
        money = in_words(row, str(row["currency"]))
        line = f"{given.name}: {money['amount']} {row['currency']} on {aloud(row['effective_date'])}, {row['class']}"
        if row["reversed_on"] is not None:
            line += f"; {money['back']} went back on {aloud(row['reversed_on'])}"
        if row["unusable_minor"]:
            line += f"; {money['unusable']} of it are fees"
        if row["allocated_minor"] is not None:
            line += f"; terms took {money['allocated']}"
        yield f"  {line}; counts as {row['counts_as']}."
    if not told.payments:
        yield "  none"


def _shares(told: Explanation) -> Iterable[str]:
    for each in told.shares:
        why = "the term names it" if each.how == "NAMED" else "oldest due first"
        yield f"  {each.payment} gave {written(each.amount_minor, told.currency)} to {each.term}: {why}."
    if not told.shares:
        yield "  No payment is laid on a term: none came, or the provider keeps the balance of each term itself."


def _pauses(told: Explanation) -> Iterable[str]:
    for each in told.pauses:
        end = each.facts["end"]
        until = f"to {aloud(end)}, that day counts again" if isinstance(end, date) else "on, without an end"
        yield f"  {each.name}: from {aloud(each.facts['start'])} {until}."
