"""The run in one page of text and one JSON object; both say the same.

`outline` gathers the figures, `text` words them for the console. The HTML page is in `page.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import polars as pl

from reports.digest import CLOSED, SEVERITIES, Digest
from reports.facts import RunFacts, Source
from reports.texts import LONGEST_OWN, counted, grouped, plain, visible

_MONEY = ("due_today", "amount_due", "overdue", "overdue_past_grace", "pending", "fresh_pending", "outstanding")
_DAY_OF_MINUTES = 24 * 60
_ALARMING = ("critical", "high")


def outline(facts: RunFacts, digest: Digest) -> dict[str, Any]:
    """Return the summary as plain JSON values; amounts are decimal texts beside their currency."""
    summary: dict[str, Any] = {
        "state": facts.state,
        "as_of": facts.as_of.isoformat(),
        "run_id": facts.run_id,
        "run_key": facts.run_key,
        "known_at": _moment(facts.known_at),
        "known_load": facts.known_load,
        "code_version": facts.code_version,
        "held_because": list(facts.held_because),
        "sources": [_source(source) for source in facts.sources],
        "portfolio": _portfolio(digest),
        "breaks": _breaks(digest),
        "quarantined": 0 if digest.integrity is None else int(digest.integrity["quarantined"].sum()),
        "causes": list(facts.causes),
        "checks": _checks(digest),
        "rows": dict(sorted(digest.rows.items())),
        "calendars": [asdict(each) for each in facts.calendars],
        "options": dict(sorted(facts.options.items())),
        **({"write_backs": list(facts.write_backs)} if facts.write_backs else {}),
        **({"notes": list(facts.notes)} if facts.notes else {}),
        **facts.extra,
    }
    summary["headline"] = headline(summary)
    return summary


def headline(summary: Mapping[str, Any]) -> str:
    """Return the first line: the state, the date, what is open, and who could not be read."""
    in_force = sum(row["plans_in_force"] for row in summary["portfolio"])
    providers = len({row["provider"] for row in summary["portfolio"] if row["plans_in_force"]})
    found = summary["breaks"]
    alarming = sum(found["by_severity"][word] for word in _ALARMING)
    line = (
        f"{summary['state']}  as of {summary['as_of']}: {counted(in_force, 'plan')} in force at "
        f"{counted(providers, 'provider')}, {counted(found['open'], 'open break')}, {alarming} high or critical"
    )
    failed = [_failure(source) for source in summary["sources"] if source["error_code"]]
    return "; ".join([line, *failed])


def text(summary: Mapping[str, Any]) -> str:
    """Return the summary for a console: first line with the state, then money, then breaks."""
    blocks = [
        [summary["headline"]],
        [f"held: {visible(reason, LONGEST_OWN)}" for reason in summary["held_because"]],
        [_skew(source) for source in summary["sources"] if source["clock_skew_seconds"] is not None],
        [f"known at {summary['known_at']}, run {summary['run_id']}, planrecon {summary['code_version']}"],
        _table(PORTFOLIO_HEAD, [portfolio_line(row) for row in summary["portfolio"]], left=2),
        _break_lines(summary["breaks"]),
        [f"cause: {visible(cause)}" for cause in summary["causes"]],
        [visible(sentence, LONGEST_OWN) for sentence in summary.get("write_backs", ())],
        [visible(sentence, LONGEST_OWN) for sentence in summary.get("notes", ())],
    ]
    return "\n".join("\n".join(lines) + "\n" for lines in blocks if lines)


PORTFOLIO_HEAD = (
    *("provider", "currency", "plans", "past due", "missed terms"),
    *("due today", "amount due", "overdue", "pending", "outstanding"),
)
BREAK_HEAD = ("severity", "code", "reason", "open", "new")


def portfolio_line(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return one provider's money in one currency, as the cells under `PORTFOLIO_HEAD`."""
    counts = (row["plans_in_force"], row["plans_past_due"], row["missed_terms"])
    amounts = (row[name] for name in ("due_today", "amount_due", "overdue", "pending", "outstanding"))
    return (row["provider"], row["currency"], *(f"{number:,}" for number in counts), *map(grouped, amounts))


def break_line(found: Mapping[str, Any]) -> str:
    """Return how many breaks are open, by severity, and how many are in another state."""
    severities = ", ".join(f"{found['by_severity'][word]} {word}" for word in SEVERITIES)
    others = ", ".join(f"{found[word]} {word}" for word in ("new", "timing", "accepted", "resolved"))
    return f"{counted(found['open'], 'open break')}: {severities} ({others})"


def break_rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the open breaks counted by kind, as the cells under `BREAK_HEAD`."""
    return [
        (row["severity"], row["code"], row["reason"], f"{row['open']:,}", f"{row['new']:,}") for row in found["by_code"]
    ]


def _break_lines(found: Mapping[str, Any]) -> list[str]:
    rows = break_rows(found)
    return [break_line(found), *(_table(BREAK_HEAD, rows, left=3) if rows else [])]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int) -> list[str]:
    """Lay out columns: the first `left` flush left, the others flush right."""
    widths = [max(len(line[place]) for line in (head, *rows)) for place in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (head, *rows)
    ]


def _failure(source: Mapping[str, Any]) -> str:
    since = f"figures of {source['fresh_at'][:10]}" if source["fresh_at"] else "never read completely"
    tenant = f" {visible(source['tenant_id'])}" if source["tenant_id"] not in (None, source["provider"]) else ""
    return f"{source['provider']}{tenant} not read ({source['error_code']}), {since}"


def _skew(source: Mapping[str, Any]) -> str:
    seconds = source["clock_skew_seconds"]
    minutes = abs(seconds) // 60
    told = f"{minutes} minutes" if minutes < _DAY_OF_MINUTES else counted(minutes // _DAY_OF_MINUTES, "day")
    tenant = f" {visible(source['tenant_id'])}" if source["tenant_id"] not in (None, source["provider"]) else ""
    way = "ahead of" if seconds > 0 else "behind"
    return f"clock: that of {source['provider']}{tenant} is {told} {way} this machine's; check which of them is right"


def _source(source: Source) -> dict[str, str | int | None]:
    return {
        "provider": source.provider,
        "tenant_id": source.tenant_id,
        "fresh_at": None if source.fresh_at is None else _moment(source.fresh_at),
        "error_code": source.error_code,
        "error": source.error,
        "clock_skew_seconds": source.clock_skew_seconds,
    }


def _portfolio(digest: Digest) -> list[dict[str, Any]]:
    rows = [] if digest.sums is None else digest.sums.to_dicts()
    return [
        {
            "provider": row["provider"],
            "currency": row["currency"],
            "plans": row["plans"],
            "plans_in_force": row["in_force"],
            "plans_past_due": row["past_due"],
            "plans_overdue": row["overdue"],
            "plans_past_due_nothing_pending": row["uncovered"],
            "plans_past_due_pending": row["covered"],
            "plans_overdue_paused": row["paused"],
            "plans_overdue_not_owed": row["not_owed"],
            "missed_terms": row["missed_terms"],
            "delinquent_terms": row["delinquent_terms"],
            **{name: plain(row[f"{name}_minor"], row["currency"]) for name in _MONEY},
            "overdue_nothing_pending": plain(row["uncovered_overdue_minor"], row["currency"]),
            "fresh_pending_past_due": plain(row["covered_fresh_pending_minor"], row["currency"]),
            "overdue_paused": plain(row["paused_overdue_minor"], row["currency"]),
            "overdue_not_owed": plain(row["not_owed_overdue_minor"], row["currency"]),
            "overdue_of_ended_plans": plain(row["ended_overdue_minor"], row["currency"]),
        }
        for row in rows
    ]


def _breaks(digest: Digest) -> dict[str, Any]:
    rows = [] if digest.counted_breaks is None else digest.counted_breaks.to_dicts()
    alive = [row for row in rows if row["break_state"] not in CLOSED]
    real = [row for row in alive if row["kind"] == "real"]
    return {
        "open": _number(real),
        "new": _number(row for row in real if row["break_state"] == "NEW"),
        "timing": _number(row for row in alive if row["kind"] == "timing"),
        "accepted": _number(row for row in rows if row["break_state"] == "ACCEPTED"),
        "resolved": _number(row for row in rows if row["break_state"] == "RESOLVED"),
        "by_severity": {word: _number(row for row in real if row["severity"] == word) for word in SEVERITIES},
        "by_code": _by_code(real),
    }


def _by_code(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    kinds = sorted({(SEVERITIES.index(row["severity"]), row["code"], row["reason"]) for row in rows})
    found = []
    for place, code, reason in kinds:
        same = [r for r in rows if (r["severity"], r["code"], r["reason"]) == (SEVERITIES[place], code, reason)]
        new = _number(row for row in same if row["break_state"] == "NEW")
        found.append({"severity": SEVERITIES[place], "code": code, "reason": reason, "open": _number(same), "new": new})
    return found


def _checks(digest: Digest) -> list[dict[str, Any]]:
    if digest.checks is None:
        return []
    sums = digest.checks.group_by("check", "code", "reason").agg(
        pl.col("examined", "not_applicable", "breaks").sum(), is_evaluated=pl.col("is_evaluated").all()
    )
    return sums.sort("check").to_dicts()


def _number(rows: Any) -> int:
    return int(sum(row["number"] for row in rows))


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
