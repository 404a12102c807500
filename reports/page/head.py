"""Is this page safe to use, and what does it come to? The date, one word, three sentences."""

from datetime import date
from typing import Any

from reports.digest import Digest
from reports.facts import RunFacts, Source
from reports.page.figures import Row, by_currency, money
from reports.summary import Summary
from reports.texts import counted, instant, visible
from schemas.words import HELD

MOST_FAILED = 12
"""Providers and tenants named that could not be read."""
MOST_REASONS = 12
"""Reasons named why a run is held."""


def context(facts: RunFacts, summary: Summary, digest: Digest) -> dict[str, Any]:
    """Return what the head of the page needs."""
    failed = [source for source in facts.sources if source.error_code]
    old = _ages(facts)
    is_partial = digest.integrity is not None and not digest.integrity["complete"].all()
    return {
        "is_held": facts.state == HELD,
        "day": day(facts.as_of),
        "verdict": _verdict(facts, old, is_partial=is_partial),
        "sentences": [_safety(facts, old, is_partial=is_partial), _standing(summary), _work(summary)],
        "held_because": summary.held_because[:MOST_REASONS],
        "held_left_out": max(len(summary.held_because) - MOST_REASONS, 0),
        "failed": [_source(source) for source in failed[:MOST_FAILED]],
        "failed_left_out": max(len(failed) - MOST_FAILED, 0),
        "known": instant(facts.known_at),
    }


def day(when: date) -> str:
    """Write a date in words."""
    return f"{when:%A} {when.day} {when:%B %Y}"


def _verdict(facts: RunFacts, old: str, *, is_partial: bool) -> Row:
    if facts.state == HELD:
        return {"kind": "stop", "word": "HELD"}
    if old or is_partial:
        return {"kind": "old", "word": old or "not read completely"}
    return {"kind": "fine", "word": "safe to use"}


def _ages(facts: RunFacts) -> str:
    """Say of each provider that could not be read, or was not read for a day, how old its oldest figures are; else nothing."""
    ages: dict[str, int | None] = {}
    for source in facts.sources:
        age = None if source.fresh_at is None else (facts.known_at.date() - source.fresh_at.date()).days
        if age == 0 and not source.error_code:
            continue
        known = ages.get(source.provider, 0)
        ages[source.provider] = None if age is None or known is None else max(age, known)
    return ", ".join(_age(provider, age) for provider, age in sorted(ages.items()))


def _age(provider: str, age: int | None) -> str:
    if age is None:
        return f"{provider} was never read completely"
    return f"{provider} is {counted(age, 'day')} old" if age > 0 else f"{provider} is of earlier today"


def _safety(facts: RunFacts, old: str, *, is_partial: bool) -> str:
    providers = len({source.provider for source in facts.sources})
    if facts.state == HELD:
        return "This run is held: do not work from these figures; what was published before stays where it was."
    if old:
        return f"Use with care: {old}, and figures there are those of the last complete fetch."
    if is_partial:
        return (
            "Use with care: not everything was fetched completely, and nothing is concluded from what is missing there."
        )
    if not providers:
        return "No provider was read for this page."
    read = "the provider was" if providers == 1 else f"all {providers} providers were"
    return f"These figures are safe to use: {read} read completely."


def _standing(summary: Summary) -> str:
    plans = sum(line.plans_in_force for line in summary.portfolio)
    if not plans:
        return "No plan is in force."
    providers = len({line.provider for line in summary.portfolio if line.plans_in_force})
    late = sum(line.plans_past_due for line in summary.portfolio)
    verb = "is" if plans == 1 else "are"
    start = f"{counted(plans, 'plan')} {verb} in force at {counted(providers, 'provider')}"
    if not late:
        return f"{start}, and every one is on time."
    overdue = money(by_currency(summary.portfolio, "overdue"))
    return f"{start}; {late:,} of them {'is' if late == 1 else 'are'} past due, and {overdue} is overdue."


def _work(summary: Summary) -> str:
    """Say what the day's work is, without what there is none of."""
    count = {
        word: sum(row.plans for row in summary.work_lists if row.work_list == word)
        for word in ("CALL_TODAY", "SETTLING", "DUE_TODAY")
    }
    found = summary.breaks
    pressing = found.by_severity["critical"] + found.by_severity["high"]
    said = [
        (count["CALL_TODAY"], f"call about {counted(count['CALL_TODAY'], 'plan')}"),
        (count["SETTLING"], f"leave {count['SETTLING']:,} alone while money settles"),
        (count["DUE_TODAY"], f"expect money on {counted(count['DUE_TODAY'], 'plan')} due today"),
        (pressing, f"clear {counted(pressing, 'break')} of high or critical severity"),
        (
            found.open - pressing,
            f"look through {counted(found.open - pressing, 'other break' if pressing else 'break')}",
        ),
    ]
    parts = [text for number, text in said if number]
    if not parts:
        return _quiet(summary)
    text = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"Today: {text}."


def _quiet(summary: Summary) -> str:
    """Say that no figure needs a person; it says no more than was looked at."""
    checks = summary.checks
    looked = f"{counted(len(checks), 'check')} found nothing open" if checks else "no check was run"
    needs = summary.write_backs or any(source.error_code for source in summary.sources)
    what = "No plan needs a call today" if needs else "No plan and no break needs a person today"
    return f"{what}, and {looked}."


def _source(source: Source) -> Row:
    return {
        "provider": source.provider,
        "tenant_id": None if source.tenant_id == source.provider else source.tenant_id,
        "error": visible(source.error or source.error_code),
        "fresh": instant(source.fresh_at),
    }
