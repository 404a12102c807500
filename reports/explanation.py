"""Write an explanation out: as text that can be read aloud, and as JSON with the same content.

How figures come about is decided before; here only amounts, dates and names are put into words.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

from reports.texts import exact, grouped, harmless, instant
from schemas.currencies import written
from schemas.explanation import Explanation, Facts, Figure, Given, Origin, Value

_MINOR = "_minor"
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
        "known_at": _plain(told.known_at),
        "figures": [_figure_json(each, money) for each in told.figures],
        "plan": _given_json(told.plan, money),
        "terms": [_given_json(each, money) for each in told.terms],
        "payments": [_given_json(each, money) for each in told.payments],
        "allocations": [
            {"payment": each.payment, "term": each.term, "amount": written(each.amount_minor, money), "how": each.how}
            for each in told.shares
        ],
        "pauses": [_given_json(each, money) for each in told.pauses],
        "closed_days": {day.isoformat(): name for day, name in told.closed_days.items()},
        "schedule_differences": list(told.differences),
        "settings": [{"name": each.name, "value": each.value, "meaning": each.meaning} for each in told.settings],
        "assumptions": [
            {"name": each.name, "value": each.value, "about": each.about, "rows": list(each.rows)}
            for each in told.assumptions
        ],
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
    return _plain(figure.value)


def as_text(told: Explanation) -> str:
    """Return the explanation as plain sentences, figures first, then what they rest on."""
    lines = [
        f"Plan {told.plan_id} at {told.provider} ({told.tenant_id}), at the end of {_day(told.as_of)}.",
        f"As known {instant(told.known_at)} (load {told.known_load}). All amounts are in {told.currency}.",
        "",
        "FIGURES",
    ]
    for figure in told.figures:
        lines += _figure_lines(figure, told)
    lines += ["", "THE PLAN", *_plan(told)]
    lines += ["", "TERMS", *_terms(told), "", "PAYMENTS", *_payments(told), "", "WHICH PAYMENT PAID WHICH TERM"]
    lines += _shares(told)
    lines += ["", "WHERE THE ROWS COME FROM", *_origins((told.plan, *told.terms, *told.payments))]
    lines += ["", "SETTINGS", *(f"  {each.name} = {each.value}: {each.meaning}." for each in told.settings)]
    if told.pauses:
        lines += ["", "PAUSES, WHOSE DAYS DO NOT COUNT", *_pauses(told)]
    if told.closed_days:
        days = ", ".join(f"{_day(day)} ({name})" for day, name in told.closed_days.items())
        lines += ["", "DAYS THAT ARE NO BUSINESS DAYS, WEEKENDS ASIDE", f"  {days}"]
    lines += ["", "ASSUMED, BECAUSE NO PAGE OF THE PROVIDER SAYS SO", *_assumed(told)]
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


def _given_json(given: Given, currency: str) -> dict[str, Any]:
    origin = None
    if given.origin is not None:
        origin = {each.name: _plain(getattr(given.origin, each.name)) for each in fields(Origin)}
    return {"name": given.name, **_facts(given.facts, str(given.facts.get("currency") or currency)), "source": origin}


def _facts(facts: Facts, currency: str) -> Mapping[str, Any]:
    return {
        name.removesuffix(_MINOR): written(int(str(value)), currency)
        if name.endswith(_MINOR) and value is not None
        else _plain(value)
        for name, value in facts.items()
    }


def _plain(value: Value) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


def _shown(figure: Figure, currency: str) -> str:
    value = figure.value
    if value is None:
        return "empty"
    if figure.kind == "MONEY":
        return f"{grouped(written(int(str(value)), currency))} {currency}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _day(value) if isinstance(value, date) else str(figure_value(figure, currency))


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
    facts = _facts(told.plan.facts, told.currency)
    for name, value in told.plan.facts.items():
        if value is not None:
            shown = (
                _day(value)
                if isinstance(value, date) and not isinstance(value, datetime)
                else facts[name.removesuffix(_MINOR)]
            )
            yield f"  {name.removesuffix(_MINOR).replace('_', ' ')}: {shown}"


def _terms(told: Explanation) -> Iterable[str]:
    for given in told.terms:
        term, money = given.facts, _facts(given.facts, told.currency)
        due = f"{given.name}: {money['amount']} due {_told_day(term['due_date'])}"
        if term["nominal_due_date"] not in {None, term["due_date"]}:
            due += f", moved from {_told_day(term['nominal_due_date'])}"
        if term["trace"]:
            due += f" ({term['trace']})"
        paid = f"; received {money['received']}, open {money['outstanding']}"
        state = f"; {str(term['state']).replace('_', ' ').lower()}"
        if term["satisfied_on"] is not None:
            state += f" since {_told_day(term['satisfied_on'])}"
        yield f"  {due}{paid}{state}."
    if not told.terms:
        yield "  none"


def _payments(told: Explanation) -> Iterable[str]:
    for given in told.payments:
        row = given.facts
        money = _facts(row, str(row["currency"]))
        line = (
            f"{given.name}: {money['amount']} {row['currency']} on {_told_day(row['effective_date'])}, {row['class']}"
        )
        if row["reversed_on"] is not None:
            line += f"; {money['back']} went back on {_told_day(row['reversed_on'])}"
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
        until = f"to {_day(end)}, that day counts again" if isinstance(end, date) else "on, without an end"
        yield f"  {each.name}: from {_told_day(each.facts['start'])} {until}."


def _origins(rows: Iterable[Given]) -> Iterable[str]:
    for row in rows:
        origin = row.origin
        if origin is None:
            continue
        place = f" page {origin.page}, row {origin.position}" if origin.page is not None else ""
        file = f", file {origin.page_sha256[:12]}" if origin.page_sha256 else ""
        yield (
            f"  {row.name}: {origin.provider} list {origin.entity}{place}{file}, fetch {origin.snapshot_id} (load {origin.load_no}, "
            f"known since {instant(origin.known_since)}); first seen {instant(origin.first_seen)}."
        )


def _assumed(told: Explanation) -> Iterable[str]:
    """Return one line per assumption; fields that have the name we assume are told together, list by list."""
    together: dict[tuple[str, ...], list[str]] = {}
    for each in told.assumptions:
        if each.name == f"{each.rows[0]}.{each.value}":
            together.setdefault(each.rows, []).append(each.value)
        else:
            yield f"  {each.name} = {each.value or '(none)'}: {each.about}."
    for rows, names in together.items():
        yield f"  fields of {', '.join(rows)} are called {', '.join(names)}."
    if not told.assumptions:
        yield "  nothing"


def _told_day(value: Value) -> str:
    return _day(value) if isinstance(value, date) else "an unknown day"
