"""What comes first today? Ten things by the money at risk, each a sentence with its amount, age and action.

What concerns everything stands first: a provider that could not be read, changes begun at a provider. Plans to call and
breaks follow by their money. A break without an amount, or with a severity above that of its amount, counts as the
least amount of its severity; what both have more of is shared evenly.
"""

from collections.abc import Iterator
from typing import Any

from reports.digest import Digest
from reports.facts import RunFacts
from reports.links import link_of
from reports.page.figures import Row, amount
from reports.summary import Summary
from reports.texts import counted, visible
from schemas.currencies import in_major
from schemas.seeds import numbers

FIRST = 10
"""Rows shown."""


def context(facts: RunFacts, summary: Summary, digest: Digest) -> dict[str, Any]:
    """Return the rows."""
    urgent = list(_urgent(summary))[:FIRST]
    calls, broken = list(_calls(facts, digest)), list(_broken(facts, digest))
    room = FIRST - len(urgent)
    of_breaks = min(len(broken), max(room // 2, room - len(calls)))
    chosen = [*calls[: room - of_breaks], *broken[:of_breaks]]
    chosen.sort(key=lambda row: -row["weight"])
    return {"first": [*urgent, *chosen, *_rejected(summary)][:FIRST]}


def action_of(facts: RunFacts, code: str, reason: str | None) -> str:
    """Return what to do about a break, as its check says it."""
    told = facts.actions.get((code, reason or "")) or facts.actions.get((code, "")) or "look at it with the provider."
    return told[0].upper() + told[1:]


def _urgent(summary: Summary) -> Iterator[Row]:
    failed = sorted({source.provider for source in summary.sources if source.error_code})
    if failed:
        named = ", ".join(failed)
        yield _plain(
            f"{counted(len(failed), 'provider')} could not be read: {named}.", "Find out why, and run again.", "trust"
        )
    if summary.write_backs:
        told = visible("; ".join(summary.write_backs))
        yield _plain(
            f"Something begun at the providers is not finished: {told}", "Settle what was begun at the providers.", None
        )


def _rejected(summary: Summary) -> Iterator[Row]:
    if summary.quarantined:
        text = f"{counted(summary.quarantined, 'row')} of the providers stayed out of these figures."
        yield _plain(text, "See why with planrecon quarantine.", "trust")


def _plain(text: str, action: str, anchor: str | None) -> Row:
    told = {"text": text, "action": action, "anchor": anchor, "link": None, "weight": 0}
    return {**told, **dict.fromkeys(("amount", "currency", "age", "provider", "severity"), "")}


def _calls(facts: RunFacts, digest: Digest) -> Iterator[Row]:
    """Yield the plans to call, those of the most money first."""
    listed = digest.lists.rows.get("CALL_TODAY")
    rows = [] if listed is None else listed.to_dicts()
    weighed = [(in_major(row["overdue_minor"], row["currency"]), row) for row in rows]
    for weight, row in sorted(weighed, key=lambda pair: -pair[0])[:FIRST]:
        missed = f"{counted(row['missed_terms'], 'term')} missed" if row["missed_terms"] else "a term partly paid"
        last = f"last money came on {row['last_receipt_date']}" if row["last_receipt_date"] else "no money ever came"
        who = row["reference"] or row["customer_id"] or row["account_id"]
        of_whom = f" of {visible(who, 60)}" if who else ""
        yield {
            "text": f"Plan {visible(row['plan_id'], 60)}{of_whom} at {row['provider']}: {missed}, and {last}.",
            "amount": amount(row["overdue_minor"], row["currency"]),
            "currency": row["currency"],
            "age": f"{counted(row['days_past_due'], 'day')} past due",
            "provider": row["provider"],
            "severity": "",
            "action": "Call: nothing is on its way.",
            "link": link_of(facts.plan_links, row),
            "anchor": "call",
            "weight": weight,
        }


def _broken(facts: RunFacts, digest: Digest) -> Iterator[Row]:
    """Yield one row per kind of break and provider, told by its most pressing break, the weightiest first."""
    least = numbers("severities")
    kinds: dict[tuple[Any, ...], list[Row]] = {}
    for found in digest.breaks.to_dicts():
        kinds.setdefault((found["provider"], found["code"], found["reason"]), []).append(found)
    weighed = [(max(_size(row), least[row["severity"]]), rows, row) for rows in kinds.values() for row in rows[:1]]
    for weight, rows, row in sorted(weighed, key=lambda told: -told[0])[:FIRST]:
        more = f" And {len(rows) - 1} more like it." if len(rows) > 1 else ""
        yield {
            "text": f"{visible(row['explanation'], 240)}{more}",
            "amount": amount(row["difference_minor"], row["break_currency"]),
            "currency": row["break_currency"] or "",
            "age": f"open for {counted(row['age_days'], 'day')}" if row["age_days"] else "new today",
            "provider": row["provider"],
            "severity": row["severity"],
            "action": action_of(facts, row["code"], row["reason"]),
            "link": link_of(facts.plan_links, row) if row["plan_id"] else None,
            "anchor": "breaks",
            "weight": weight,
        }


def _size(row: Row) -> Any:
    difference = row["difference_minor"]
    return 0 if difference is None else abs(in_major(difference, row["break_currency"]))
