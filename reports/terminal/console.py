"""The summary as plain text for a terminal: first line with the state, then money, then breaks."""

from collections.abc import Callable, Sequence

from reports.digest import WORST_FIRST
from reports.summary import BreakCounts, PortfolioLine, SourceLine, Summary, whose
from reports.terminal.layout import Table, plain
from reports.texts import LONGEST_OWN, counted, grouped, visible

_DAY_OF_MINUTES = 24 * 60


def render(summary: Summary, lay_out: Callable[[Table], Sequence[str]] = plain) -> str:
    """Return the summary for a console: first line with the state, then money, then breaks."""
    blocks = [
        [summary.headline],
        [f"held: {visible(reason, LONGEST_OWN)}" for reason in summary.held_because],
        [_skew(source, seconds) for source in summary.sources if (seconds := source.clock_skew_seconds) is not None],
        [f"known at {summary.known_at}, run {summary.run_id}, planrecon {summary.code_version}"],
        lay_out(_portfolio(summary.portfolio)),
        _break_lines(summary.breaks, lay_out),
        [f"cause: {visible(cause)}" for cause in summary.causes],
        [visible(sentence, LONGEST_OWN) for sentence in summary.write_backs],
        [visible(sentence, LONGEST_OWN) for sentence in summary.notes],
    ]
    return "\n".join("\n".join(lines) + "\n" for lines in blocks if lines)


PORTFOLIO_HEAD = (
    *("provider", "currency", "plans", "past due", "missed terms"),
    *("due today", "amount due", "overdue", "pending", "outstanding"),
)
_MOST_WANTED = ("provider", "currency", "overdue", "due today", "amount due", "pending", "outstanding", "plans")
BREAK_HEAD = ("severity", "code", "reason", "open", "new")


def portfolio_line(row: PortfolioLine) -> tuple[str, ...]:
    """Return one provider's money in one currency, as the cells under `PORTFOLIO_HEAD`."""
    counts = (row.plans_in_force, row.plans_past_due, row.missed_terms)
    amounts = (row.due_today, row.amount_due, row.overdue, row.pending, row.outstanding)
    return (row.provider, row.currency, *(f"{number:,}" for number in counts), *map(grouped, amounts))


def break_line(counts: BreakCounts) -> str:
    """Return how many breaks are open, by severity, and how many are in another state."""
    severities = ", ".join(f"{counts.by_severity[word]} {word}" for word in WORST_FIRST)
    others = ", ".join(f"{getattr(counts, word)} {word}" for word in ("new", "timing", "accepted", "resolved"))
    return f"{counted(counts.open, 'open break')}: {severities} ({others})"


def break_rows(counts: BreakCounts) -> list[tuple[str, ...]]:
    """Return the open breaks counted by kind, as the cells under `BREAK_HEAD`."""
    return [(row.severity, row.code, row.reason, f"{row.open:,}", f"{row.new:,}") for row in counts.by_code]


def _portfolio(rows: Sequence[PortfolioLine]) -> Table:
    numbers = frozenset(range(2, len(PORTFOLIO_HEAD)))
    return Table(PORTFOLIO_HEAD, [portfolio_line(row) for row in rows], right=numbers, first=_MOST_WANTED)


def _break_lines(counts: BreakCounts, lay_out: Callable[[Table], Sequence[str]]) -> list[str]:
    rows = break_rows(counts)
    numbers = frozenset(range(3, len(BREAK_HEAD)))
    return [break_line(counts), *(lay_out(Table(BREAK_HEAD, rows, right=numbers)) if rows else [])]


def _skew(source: SourceLine, seconds: int) -> str:
    minutes = abs(seconds) // 60
    told = f"{minutes} minutes" if minutes < _DAY_OF_MINUTES else counted(minutes // _DAY_OF_MINUTES, "day")
    way = "ahead of" if seconds > 0 else "behind"
    return f"clock: that of {whose(source)} is {told} {way} this machine's; check which of them is right"
