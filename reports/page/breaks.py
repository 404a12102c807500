"""What did the providers get wrong, and why? Kinds of break by their number, then the most pressing ones."""

from typing import Any

from reports.digest import Digest
from reports.facts import RunFacts
from reports.links import link_of
from reports.page.figures import Row
from reports.page.first import action_of
from reports.summary import BreakCounts, BreakKind, Summary
from reports.texts import counted, visible
from schemas.currencies import written


def context(facts: RunFacts, summary: Summary, digest: Digest, most: int) -> dict[str, Any]:
    """Return causes, kinds, breaks and accepted ones, at most so many rows of each."""
    breaks, accepted = digest.breaks.head(most), digest.accepted.head(most)
    kinds = summary.breaks.by_code
    return {
        "kinds": [_kind(facts, kind) for kind in kinds[:most]],
        "kinds_left_out": max(len(kinds) - most, 0),
        "breaks": [_break(facts, row) for row in breaks.to_dicts()],
        "breaks_left_out": summary.breaks.open > breaks.height,
        "accepted": [_accepted(facts, row) for row in accepted.to_dicts()],
        "aside": _aside(summary.breaks),
    }


def _kind(facts: RunFacts, kind: BreakKind) -> Row:
    return {
        **{name: getattr(kind, name) for name in ("severity", "code", "reason", "open", "new")},
        "action": visible(action_of(facts, kind.code, kind.reason)),
    }


def _break(facts: RunFacts, row: Row) -> Row:
    ids = (
        *(("plan", "plan_id"), ("term", "term_id"), ("payment", "payment_id"), ("account", "account_id")),
        ("reference", "reference"),
    )
    difference = row["difference_minor"]
    days = row["difference_days"]
    return {
        **{name: row[name] for name in ("severity", "explanation", "code", "reason", "provider")},
        "where": [(name, row[column]) for name, column in ids if row[column]],
        "link": link_of(facts.plan_links, row) if row["plan_id"] else None,
        "difference": None if difference is None else written(difference, row["break_currency"]),
        "currency": row["break_currency"] or "",
        "days": None if days is None else counted(days, "day"),
        "age": counted(row["age_days"], "day"),
        "state": row["break_state"].replace("_", " ").lower(),
    }


def _accepted(facts: RunFacts, row: Row) -> Row:
    maximum = row["maximum_minor"]
    return {
        **_break(facts, row),
        **{name: row[name] for name in ("owner", "accepted_because", "expires_on")},
        "maximum": None if maximum is None else written(maximum, row["break_currency"]),
    }


def _aside(found: BreakCounts) -> str:
    parts = (
        (found.timing, "that time alone will settle"),
        (found.accepted, "accepted by somebody"),
        (found.resolved, "resolved since the last run"),
    )
    said = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    return f"Not counted above: {said}." if said else ""
