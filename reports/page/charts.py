"""Charts as lines of bars: what each says, how long its bars are, and the figures in a table beneath.

Lengths are thousandths cut from whole minor units or counts, so that the same figures give the same bytes; figures are
text made from integers. `templates/charts.html` draws them. Amounts of two currencies never share a chart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from reports.texts import counted, grouped
from schemas.currencies import written
from schemas.words import PAID_OFF

WHOLE = 1000
"""Length of the longest line of a chart."""
HORIZON = 30
"""Days ahead that the chart of expected money shows."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a line: its kind names its colour, `start` and `length` are thousandths."""

    kind: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it stands for, its bars, the figure at its end, and its row of the table."""

    label: str
    bars: tuple[Bar, ...]
    end: str
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: `says` is read out in its place, `key` explains colours, `head` names the columns of the table."""

    name: str
    title: str
    says: str
    key: tuple[tuple[str, str], ...]
    head: tuple[str, ...]
    lines: tuple[Line, ...]


def cash_charts(cash: pl.DataFrame | None) -> list[Chart]:
    """Draw what is scheduled, likely and covered by pending money within 30 days; one chart per currency.

    Args:
        cash: `currency, horizon_days, scheduled_minor, pending_covered_minor, risk_adjusted_minor` (null: no rate
            is known), one row per currency and horizon.
    """
    return _of_each(cash, "currency", ("horizon_days",), _cash, where=pl.col("horizon_days") <= HORIZON)


def _cash(currency: str, rows: Sequence[dict[str, Any]]) -> Chart:
    longest = max(max(row["scheduled_minor"], row["pending_covered_minor"]) for row in rows)

    def line(row: dict[str, Any]) -> Line:
        scheduled, likely, pending = (
            row[f"{name}_minor"] for name in ("scheduled", "risk_adjusted", "pending_covered")
        )
        bars = _laid_over((("scheduled", scheduled), ("likely", likely), ("pending", pending)), longest)
        days = row["horizon_days"]
        figures = tuple(_money(amount, currency) for amount in (scheduled, likely, pending))
        return Line("today" if days == 0 else counted(days, "day"), bars, figures[0], figures)

    last = rows[-1]
    return Chart(
        f"cash-{currency}",
        f"Expected money, {currency}",
        f"Within {counted(last['horizon_days'], 'day')} {_money(last['scheduled_minor'], currency)} {currency} fall due, "
        f"{_money(last['risk_adjusted_minor'], currency)} of it likely to come by how terms were kept lately; "
        f"pending money covers {_money(last['pending_covered_minor'], currency)}.",
        (("scheduled", "falls due"), ("likely", "likely"), ("pending", "pending covers")),
        ("Within", "Falls due", "Likely", "Pending covers"),
        tuple(map(line, rows)),
    )


def kept_charts(kept: pl.DataFrame | None) -> list[Chart]:
    """Draw how many terms were kept, partly kept and broken in each window looked back on; one chart per currency.

    Args:
        kept: `currency, window_days, evaluated, kept, partly_kept, broken`, one row per currency and window.
    """
    return _of_each(kept, "currency", ("window_days",), _kept, where=pl.col("evaluated") > 0)


def _kept(currency: str, rows: Sequence[dict[str, Any]]) -> Chart:
    kinds = ("kept", "partly_kept", "broken")

    def line(row: dict[str, Any]) -> Line:
        bars = _in_a_row([(kind, row[kind]) for kind in kinds], row["evaluated"])
        share = percent(row["kept"], row["evaluated"])
        figures = (f"{row['evaluated']:,}", *(f"{row[kind]:,}" for kind in kinds), share)
        return Line(counted(row["window_days"], "day"), bars, share, figures)

    last = rows[-1]
    return Chart(
        f"kept-{currency}",
        f"Kept terms, {currency}",
        f"Of {counted(last['evaluated'], 'term')} with a deadline in the last {counted(last['window_days'], 'day')} "
        f"{last['kept']:,} were kept, {percent(last['kept'], last['evaluated'])}.",
        (("kept", "kept"), ("partly_kept", "in part"), ("broken", "broken")),
        ("Last", "Terms", "Kept", "In part", "Broken", "Kept rate"),
        tuple(map(line, rows)),
    )


def roll_charts(roll: pl.DataFrame | None) -> list[Chart]:
    """Draw where the plans of each bucket of the earliest date compared with are now; one chart per currency.

    Args:
        roll: `currency, from_as_of, from_bucket_no, from_bucket, to_bucket_no, to_bucket, plans`, one row per move.
            Plans without an earlier bucket are left out.
    """
    return _of_each(roll, "currency", ("from_as_of", "from_bucket_no"), _roll, where=pl.col("from_bucket_no") >= 0)


def _roll(currency: str, rows: Sequence[dict[str, Any]]) -> Chart:
    kinds = ("better", "same", "worse", "gone")
    since = min(row["from_as_of"] for row in rows)
    moves: dict[str, dict[str, int]] = {}
    for row in rows:
        if row["from_as_of"] == since:
            counts = moves.setdefault(row["from_bucket"], dict.fromkeys((*kinds, "cured"), 0))
            counts[_direction(row)] += row["plans"]
            counts["cured"] += row["plans"] if row["to_bucket_no"] == 0 or row["to_bucket"] == PAID_OFF else 0
    lines = []
    for bucket, counts in moves.items():
        total = sum(counts[kind] for kind in kinds)
        cured = percent(counts["cured"], total)
        figures = (f"{total:,}", *(f"{counts[kind]:,}" for kind in kinds), percent(counts["worse"], total), cured)
        lines.append(Line(bucket, _in_a_row([(kind, counts[kind]) for kind in kinds], total), f"{total:,}", figures))
    worse, everyone = (
        sum(sum(counts[kind] for kind in some) for counts in moves.values()) for some in (("worse",), kinds)
    )
    return Chart(
        f"roll-{currency}",
        f"Moves between buckets since {since}, {currency}",
        f"Of {counted(everyone, 'plan')} {worse:,} are in a worse bucket than on {since}.",
        (("better", "better, or paid off"), ("same", "same"), ("worse", "worse"), ("gone", "out of force")),
        ("Was in", "Plans", "Better", "Same", "Worse", "Out of force", "Roll rate", "Cure rate"),
        tuple(lines),
    )


def _direction(row: dict[str, Any]) -> str:
    was, now = row["from_bucket_no"], row["to_bucket_no"]
    if now is None:
        return "better" if row["to_bucket"] == PAID_OFF else "gone"
    return "same" if now == was else "worse" if now > was else "better"


def _of_each(
    frame: pl.DataFrame | None,
    by: str,
    order: tuple[str, ...],
    draw: Callable[[str, Sequence[dict[str, Any]]], Chart],
    *,
    where: pl.Expr,
) -> list[Chart]:
    if frame is None or frame.is_empty():
        return []
    groups = frame.filter(where).sort(by, *order).partition_by(by, maintain_order=True)
    return [draw(group[by][0], group.to_dicts()) for group in groups]


def _laid_over(parts: Sequence[tuple[str, int | None]], longest: int) -> tuple[Bar, ...]:
    """Return bars that all start at the left; none for an unknown amount."""
    return tuple(Bar(kind, 0, _cut(amount, longest)) for kind, amount in parts if amount is not None)


def _in_a_row(parts: Sequence[tuple[str, int]], total: int) -> tuple[Bar, ...]:
    """Return bars that follow on each other; edges are cut from running sums, so they add up to the whole line."""
    bars, before = [], 0
    for kind, count in parts:
        start, before = _cut(before, total), before + count
        bars.append(Bar(kind, start, _cut(before, total) - start))
    return tuple(bars)


def _cut(part: int, whole: int) -> int:
    return WHOLE * part // whole if whole else 0


def percent(part: int, whole: int) -> str:
    """Write a share with one place, the half up; of nothing it is a dash."""
    if not whole:
        return "\u2013"
    tenths = (2000 * part + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10}%"


def _money(amount: int | None, currency: str) -> str:
    return grouped(None if amount is None else written(amount, currency))
