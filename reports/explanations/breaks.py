"""Write the explanation of a break out: as text that can be read aloud, and as JSON with the same content."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
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
from reports.texts import exact, harmless, instant
from schemas.explanation import Decision, ExplainedBreak, Rule, Seen, Value

_NAMED = ("plan_id", "term_id", "payment_id", "account_id", "reference")


def as_json(told: ExplainedBreak) -> str:
    """Return the explanation as JSON; amounts are decimals in words."""
    currency = told.currency or ""
    whole = {
        "fingerprint": told.fingerprint,
        "provider": told.provider,
        "tenant_id": told.tenant_id,
        "currency": told.currency,
        "as_of": told.as_of.isoformat(),
        "run_id": told.run_id,
        **{name: plain(value) for name, value in told.facts.items()},
        "explanation": told.explanation,
        "expected_because": told.expected_because,
        "rules": [_plainly(rule) for rule in told.rules],
        "severity_because": told.severity_because,
        "rows": [given_json(row, currency) for row in told.rows],
        "settings": settings_json(told.settings),
        "life": [_plainly(seen) for seen in told.life],
        "decisions": [_plainly(decision) for decision in told.decisions],
        "assumptions": assumed_json(told.assumptions),
    }
    return exact(json.dumps(whole, ensure_ascii=False, indent=1))


def as_text(told: ExplainedBreak) -> str:
    """Return the explanation as plain sentences: what is wrong, both sides, the rule, the severity, the life."""
    reason = f", {told.facts['reason']}" if told.facts["reason"] else ""
    named = ", ".join(f"{name.removesuffix('_id')} {told.facts[name]}" for name in _NAMED if told.facts[name])
    lines = [
        f"Break {told.fingerprint[:12]}: {told.facts['code']}{reason}, at {told.provider} ({told.tenant_id}).",
        f"About {named}. As of {aloud(told.as_of)}, run {told.run_id}.",
        "",
        told.explanation,
        "",
        f"EXPECTED  {told.facts['expected'] or 'nothing to name'}",
        f"  {told.expected_because.removeprefix(told.explanation).strip()}",
        f"{'PROVIDER SAYS' if told.facts['side'] == 'provider' else 'FOUND'}  {told.facts['actual'] or 'nothing to name'}",
        *(_row_lines(told)),
        "",
        "THE RULE",
        *(line for rule in told.rules for line in _rule_lines(rule)),
        "",
        f"SEVERITY  {told.facts['severity']}",
        f"  {told.severity_because}",
        "",
        f"ITS LIFE  first seen {aloud(told.facts['first_seen'])}, now {told.facts['state']}",
        *(_seen(seen) for seen in told.life),
        *(_decision(decision, told.currency) for decision in told.decisions),
        "",
        "WHERE THE ROWS COME FROM",
        *origins(told.rows),
        "",
        "SETTINGS",
        *settings_lines(told.settings),
        "",
        "ASSUMED, BECAUSE NO PAGE OF THE PROVIDER SAYS SO",
        *assumed(told.assumptions),
    ]
    return "\n".join(harmless(line) for line in lines)


def _plainly(told: Rule | Seen | Decision) -> dict[str, Any]:
    return {each.name: plain(getattr(told, each.name)) for each in fields(told)}


def _row_lines(told: ExplainedBreak) -> Iterable[str]:
    for row in told.rows:
        shown = in_words(row.facts, str(row.facts.get("currency") or told.currency or ""))
        known = {
            name: value for name, value in row.facts.items() if value is not None and value is not False and value != ""
        }
        listed = ", ".join(_fact(name.removesuffix(MINOR), value, shown) for name, value in known.items())
        yield f"  {row.name}: {listed}."


def _fact(name: str, value: Value, shown: Mapping[str, Any]) -> str:
    words = name.replace("_", " ")
    if value is True:
        return words
    return f"{words} {aloud(value) if isinstance(value, date) else shown[name]}"


def _rule_lines(rule: Rule) -> Iterable[str]:
    yield f"  {rule.summary}"
    yield f"  What it means: {rule.means}"
    yield f"  What may be behind it: {rule.causes}"
    yield f"  What to do: {rule.action}"


def _seen(seen: Seen) -> str:
    difference = f", difference {seen.difference}" if seen.difference is not None else ""
    return f"  as of {aloud(seen.as_of)} (run {seen.run_id}): {seen.state}, {seen.severity}{difference}."


def _decision(decision: Decision, currency: str | None) -> str:
    what = "took its acceptance back" if decision.is_withdrawn else "accepted it"
    until = f", until {aloud(decision.expires_on)}" if decision.expires_on is not None else ""
    limit = f", up to {decision.maximum} {currency or ''}".rstrip() if decision.maximum is not None else ""
    return f"  {instant(decision.accepted_at)}: {decision.owner} {what}: {decision.because}{until}{limit}."
