"""What a run comes to: one typed object that the console, the page, Markdown, the workbook and `summary.json` share.

`outline` gathers the figures. Each renderer words them in a file of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import polars as pl
from msgspec import Struct

from reports.digest import WORST_FIRST, Digest
from reports.facts import CalendarFacts, RunFacts, Source
from reports.listed import ORDER
from reports.texts import counted, visible
from schemas.currencies import written
from schemas.words import CLOSED

_ALARMING = ("critical", "high")


class SourceLine(Struct, frozen=True):
    """How reading one tenant of one provider went; moments as text in UTC."""

    provider: str
    tenant_id: str | None
    fresh_at: str | None
    error_code: str | None
    error: str | None
    clock_skew_seconds: int | None


class PortfolioLine(Struct, frozen=True):
    """The plans of one provider in one currency; amounts are decimal texts in it.

    But for `plans` and `overdue_of_ended_plans`, all is of plans in force.
    """

    provider: str
    currency: str
    plans: int
    plans_in_force: int
    plans_past_due: int
    plans_overdue: int
    plans_past_due_nothing_pending: int
    plans_past_due_pending: int
    plans_overdue_paused: int
    plans_overdue_not_owed: int
    missed_terms: int
    delinquent_terms: int
    due_today: str
    amount_due: str
    overdue: str
    overdue_past_grace: str
    pending: str
    fresh_pending: str
    outstanding: str
    overdue_nothing_pending: str
    fresh_pending_past_due: str
    overdue_paused: str
    overdue_not_owed: str
    overdue_of_ended_plans: str


class ListLine(Struct, frozen=True):
    """The plans of one work list in one currency: how many, and the amount the list is about as a decimal text."""

    work_list: str
    currency: str
    plans: int
    amount: str


class BreakKind(Struct, frozen=True):
    """How many breaks of one severity, code and reason are open, and how many of them are new."""

    severity: str
    code: str
    reason: str
    open: int
    new: int


class BreakCounts(Struct, frozen=True):
    """How many breaks are in which state; `open` and what divides it count real ones alone."""

    open: int
    new: int
    timing: int
    accepted: int
    resolved: int
    by_severity: dict[str, int]
    by_code: list[BreakKind]


class CheckLine(Struct, frozen=True):
    """What one check looked at and found, at all providers together."""

    check: str
    code: str
    reason: str
    examined: int
    not_applicable: int
    breaks: int
    is_evaluated: bool


class Summary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The run as `summary.json` tells it, in the order of its fields; an empty list of sentences is left out.

    `compared_with` is the date of the run that NEWLY_MISSED of `work_lists` compares with, left out where there is none.
    """

    state: str
    as_of: str
    run_id: str
    run_key: str
    known_at: str
    known_load: int
    code_version: str
    held_because: tuple[str, ...]
    sources: list[SourceLine]
    portfolio: list[PortfolioLine]
    work_lists: list[ListLine] = []
    compared_with: str = ""
    breaks: BreakCounts
    break_movement: dict[str, int] = msgspec.field(default_factory=dict)
    quarantined: int
    causes: tuple[str, ...]
    checks: list[CheckLine]
    rows: dict[str, int]
    calendars: tuple[CalendarFacts, ...]
    options: dict[str, str]
    write_backs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    started_at: str
    held_by_change: tuple[str, ...]
    current_rows: dict[str, int]
    settings: dict[str, Any] = {}
    headline: str

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as plain JSON values."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return values


def outline(facts: RunFacts, digest: Digest) -> Summary:
    """Return the summary of a run whose tables `digest` has seen in full."""
    sources = [_source(source) for source in facts.sources]
    portfolio = [] if digest.sums is None else [_portfolio_line(row) for row in digest.sums.to_dicts()]
    breaks = _breaks(digest)
    return Summary(
        state=facts.state,
        as_of=facts.as_of.isoformat(),
        run_id=facts.run_id,
        run_key=facts.run_key,
        known_at=_moment(facts.known_at),
        known_load=facts.known_load,
        code_version=facts.code_version,
        held_because=facts.held_because,
        sources=sources,
        portfolio=portfolio,
        work_lists=_lists(digest),
        compared_with=digest.before.as_of.isoformat() if digest.before else "",
        breaks=breaks,
        break_movement=dict(facts.break_movement),
        quarantined=0 if digest.integrity is None else int(digest.integrity["quarantined"].sum()),
        causes=facts.causes,
        checks=_checks(digest),
        rows=dict(sorted(digest.rows.items())),
        calendars=facts.calendars,
        options=dict(sorted(facts.options.items())),
        write_backs=facts.write_backs,
        notes=facts.notes,
        started_at=facts.started_at.isoformat(),
        held_by_change=facts.held_by_change,
        current_rows=dict(facts.current_rows),
        settings=dict(facts.settings),
        headline=_headline(facts, sources, portfolio, breaks),
    )


def whose(source: SourceLine) -> str:
    """Return the provider, and the tenant where that is not the provider itself."""
    is_whole = source.tenant_id in (None, source.provider)
    return source.provider if is_whole else f"{source.provider} {visible(source.tenant_id)}"


def _headline(
    facts: RunFacts, sources: Iterable[SourceLine], portfolio: Sequence[PortfolioLine], breaks: BreakCounts
) -> str:
    """Return the first line: the state, the date, what is open, and who could not be read."""
    in_force = sum(line.plans_in_force for line in portfolio)
    providers = len({line.provider for line in portfolio if line.plans_in_force})
    alarming = sum(breaks.by_severity[word] for word in _ALARMING)
    first = (
        f"{facts.state}  as of {facts.as_of}: {counted(in_force, 'plan')} in force at "
        f"{counted(providers, 'provider')}, {counted(breaks.open, 'open break')}, {alarming} high or critical"
    )
    return "; ".join([first, *(_failure(source) for source in sources if source.error_code)])


def _failure(source: SourceLine) -> str:
    since = f"figures of {source.fresh_at[:10]}" if source.fresh_at else "never read completely"
    return f"{whose(source)} not read ({source.error_code}), {since}"


def _source(source: Source) -> SourceLine:
    return SourceLine(
        provider=source.provider,
        tenant_id=source.tenant_id,
        fresh_at=None if source.fresh_at is None else _moment(source.fresh_at),
        error_code=source.error_code,
        error=source.error,
        clock_skew_seconds=source.clock_skew_seconds,
    )


def _portfolio_line(sums: Mapping[str, Any]) -> PortfolioLine:
    figures: dict[str, Any] = {
        name.removesuffix("_minor"): written(value, sums["currency"]) if name.endswith("_minor") else value
        for name, value in sums.items()
    }
    return PortfolioLine(**figures)


def _lists(digest: Digest) -> list[ListLine]:
    if digest.lists.sums is None:
        return []
    rows = digest.lists.sums.to_dicts()
    rows.sort(key=lambda row: (ORDER.index(row["work_list"]), row["currency"]))
    return [
        ListLine(row["work_list"], row["currency"], row["plans"], written(row["amount_minor"], row["currency"]))
        for row in rows
    ]


def _breaks(digest: Digest) -> BreakCounts:
    rows = [] if digest.counted_breaks is None else digest.counted_breaks.to_dicts()
    alive = [row for row in rows if row["break_state"] not in CLOSED]
    real = [row for row in alive if row["kind"] == "real"]
    return BreakCounts(
        open=_number(real),
        new=_number(row for row in real if row["break_state"] == "NEW"),
        timing=_number(row for row in alive if row["kind"] == "timing"),
        accepted=_number(row for row in rows if row["break_state"] == "ACCEPTED"),
        resolved=_number(row for row in rows if row["break_state"] == "RESOLVED"),
        by_severity={word: _number(row for row in real if row["severity"] == word) for word in WORST_FIRST},
        by_code=_by_code(real),
    )


def _by_code(rows: Sequence[Mapping[str, Any]]) -> list[BreakKind]:
    kinds = sorted({(WORST_FIRST.index(row["severity"]), row["code"], row["reason"]) for row in rows})
    counts = []
    for place, code, reason in kinds:
        same = [r for r in rows if (r["severity"], r["code"], r["reason"]) == (WORST_FIRST[place], code, reason)]
        new = _number(row for row in same if row["break_state"] == "NEW")
        counts.append(BreakKind(WORST_FIRST[place], code, reason, _number(same), new))
    return counts


def _checks(digest: Digest) -> list[CheckLine]:
    if digest.checks is None:
        return []
    sums = digest.checks.group_by("check", "code", "reason").agg(
        pl.col("examined", "not_applicable", "breaks").sum(), is_evaluated=pl.col("is_evaluated").all()
    )
    return [CheckLine(**row) for row in sums.sort("check").to_dicts()]


def _number(rows: Iterable[Mapping[str, int]]) -> int:
    return int(sum(row["number"] for row in rows))


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
