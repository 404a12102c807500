"""What is new since the last published run? Five figures, each with its change and how it went over the last dates."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from reports.before import MOST_POINTS
from reports.digest import Digest
from reports.facts import RunFacts
from reports.page.figures import Row, amount, by_currency, spark, total
from reports.summary import Summary
from reports.texts import counted
from schemas.words import NEWLY_MISSED

MOST_LINES = 3
"""Currencies shown of one figure."""

Sums = Mapping[str, int]
Past = Sequence[tuple[date, Sums | None]]
"""One figure on the dates before, oldest first: minor units by currency; null where the run did not tell it."""


def context(facts: RunFacts, summary: Summary, digest: Digest) -> dict[str, Any]:
    """Return what the section needs; without a run before, the figures alone."""
    before = digest.before
    days = [] if before is None else list(before.days)[1 - MOST_POINTS :]
    figures = [
        _figure("Due today", "Terms whose due date is this day.", _now(summary, "due_today"), _past(days, "due_today")),
        _missed(summary, days),
        _figure("Overdue", _late(summary), _now(summary, "overdue"), _past(days, "overdue")),
        _figure(
            "Pending",
            "Initiated, not settled; not taken off what is due.",
            _now(summary, "pending"),
            _past(days, "pending"),
        ),
        *_received(digest.received, [day for day, _ in days], facts.as_of),
    ]
    return {
        "since": None if before is None else before.as_of,
        "tiles": [figure for figure in figures if figure],
        "points": len(days) + 1,
    }


def _now(summary: Summary, name: str) -> Sums:
    return by_currency(summary.portfolio, name)


def _late(summary: Summary) -> str:
    late = sum(row.plans_overdue for row in summary.portfolio)
    return f"On {counted(late, 'plan')} of {sum(row.plans_in_force for row in summary.portfolio):,}."


def _past(days: Iterable[tuple[date, Mapping[str, Any]]], name: str) -> Past:
    return [(day, total((line["currency"], line[name]) for line in told["portfolio"])) for day, told in days]


def _figure(title: str, note: str, now: Sums, past: Past) -> Row:
    """Return one figure: a line per currency with its change since the last of the dates before."""
    last = past[-1][1] if past else None
    shown = sorted(
        {currency for currency, sum_ in now.items() if sum_} | {c for c, sum_ in (last or {}).items() if sum_}
    )
    lines = [
        {
            "figure": amount(now.get(currency, 0), currency),
            "unit": currency,
            "change": None if last is None else _change(now.get(currency, 0) - last.get(currency, 0), currency),
            "spark": spark(
                [*(None if sums is None else sums.get(currency, 0) for _, sums in past), now.get(currency, 0)]
            ),
        }
        for currency in shown[:MOST_LINES]
    ]
    if len(shown) > MOST_LINES:
        note = f"{note} {counted(len(shown) - MOST_LINES, 'more currency', 'more currencies')} below."
    nothing = {"figure": "none", "unit": "", "change": None, "spark": None}
    return {"title": title, "note": note, "lines": lines or [nothing]}


def _change(difference: int, currency: str) -> str:
    if not difference:
        return "unchanged"
    return f"{'+' if difference > 0 else '-'}{amount(abs(difference), currency)}"


def _missed(summary: Summary, days: Sequence[tuple[date, Mapping[str, Any]]]) -> Row:
    """Count the plans newly missed; without a run before, the missed terms there are."""
    if not summary.compared_with:
        missed = sum(row.missed_terms for row in summary.portfolio)
        line = {"figure": f"{missed:,}" if missed else "none", "unit": "", "change": None, "spark": None}
        return {"title": "Missed terms", "lines": [line], "note": "Past grace, and nothing received."}
    now = sum(row.plans for row in summary.work_lists if row.work_list == NEWLY_MISSED)
    past = [_missed_then(told) for _, told in days]
    last = past[-1] if past else None
    difference = None if last is None else now - last
    change = None if difference is None else f"{difference:+,}" if difference else "unchanged"
    line = {"figure": f"{now:,}" if now else "none", "unit": "plans" if now != 1 else "plan", "change": change}
    note = "With more missed terms than then: past grace, and nothing received."
    return {"title": "Newly missed", "lines": [{**line, "spark": spark([*past, now])}], "note": note}


def _missed_then(told: Mapping[str, Any]) -> int | None:
    if not told.get("compared_with"):
        return None
    return sum(int(row["plans"]) for row in told["work_lists"] if row["work_list"] == NEWLY_MISSED)


def _received(received: pl.DataFrame | None, days: Sequence[date], as_of: date) -> list[Row]:
    """Add up what came in between the dates, each without its own first day; nothing where there is no date before."""
    if not days:
        return []
    spans = list(zip(days, [*days[1:], as_of], strict=True))
    sums = [(until, _came(received, after, until)) for after, until in spans]
    row = _figure("Received", "Settled on plans since then, less what went back.", sums[-1][1], sums[:-1])
    return [row]


def _came(received: pl.DataFrame | None, after: date, until: date) -> dict[str, int]:
    if received is None:
        return {}
    rows = received.filter(pl.col("day") > after, pl.col("day") <= until)
    return dict(rows.group_by("currency").agg(pl.col("amount_minor").sum()).sort("currency").iter_rows())
