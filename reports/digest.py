"""Collect what page and summary show of frames too big to keep: sums by currency, and the worst rows.

Amounts of different currencies are never added. What of a digest the summary says is in `summary.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from reports.before import Before, newly_missed
from reports.listed import WorkLists, stands_on
from schemas.words import CLOSED, NEWLY_MISSED, SEVERITIES, SEVERITY_RANKS, WORK_LISTS

WORST_BREAKS = 60
"""Breaks listed in all."""
MOST_ACCEPTED = 30
"""Accepted breaks listed, those first whose acceptance ends first."""
WORST_FIRST = SEVERITIES[::-1]

_WHO = ("provider", "currency")
_BUCKET = (*_WHO, "bucket_no", "bucket")
_MONEY = (
    *("due_today_minor", "amount_due_minor", "overdue_minor", "overdue_past_grace_minor"),
    *("pending_minor", "fresh_pending_minor", "outstanding_minor"),
)
_COUNTS = ("missed_terms", "delinquent_terms")
_LAST = ("currency", "window_days")
_AHEAD = ("currency", "horizon_days")
_MOVES = ("currency", "from_as_of", "from_bucket_no", "from_bucket", "to_bucket_no", "to_bucket")
_SETTLED = ("received", "reversed", "partly_reversed")


@dataclass(slots=True)
class Digest:
    """Collects what readers see first while the tables are written; `before` has to be there before the plans are."""

    before: Before | None = None
    sums: pl.DataFrame | None = None
    lists: WorkLists = field(default_factory=WorkLists)
    received: pl.DataFrame | None = None
    kept: pl.DataFrame | None = None
    cash: pl.DataFrame | None = None
    roll: pl.DataFrame | None = None
    breaks: pl.DataFrame = field(default_factory=pl.DataFrame)
    accepted: pl.DataFrame = field(default_factory=pl.DataFrame)
    counted_breaks: pl.DataFrame | None = None
    aging: pl.DataFrame | None = None
    aging_terms: pl.DataFrame | None = None
    integrity: pl.DataFrame | None = None
    checks: pl.DataFrame | None = None
    rows: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, frame: pl.DataFrame) -> None:
        """Take in a result frame on its way to report `name`; frames of other reports are left alone."""
        take = {
            "plans": self._plans,
            "payments": self._payments,
            "breaks": self._breaks,
            "aging": self._aging,
            "aging_terms": self._aging_terms,
            "kept": self._kept,
            "cash": self._cash,
            "roll": self._roll,
            "integrity": self._integrity,
        }.get(name)
        if take is not None:
            take(frame)

    def _plans(self, plans: pl.DataFrame) -> None:
        self.sums = _added(self.sums, _plan_sums(plans), _WHO)
        for word in WORK_LISTS:
            self.lists.add(word, plans.filter(stands_on(word)))
        if self.before is not None:
            self.lists.add(NEWLY_MISSED, newly_missed(plans, self.before))

    def _payments(self, payments: pl.DataFrame) -> None:
        """Add up what came in on plans by currency and day, less what went back on it."""
        settled = payments.filter("is_money", pl.col("class").is_in(_SETTLED), pl.col("plan_id").is_not_null())
        came = settled.select("currency", day="effective_date", amount_minor="amount_minor")
        back = settled.filter(pl.col("reversed_on").is_not_null(), pl.col("reversed_amount_minor").is_not_null())
        went = back.select("currency", day="reversed_on", amount_minor=-pl.col("reversed_amount_minor"))
        self.received = _added(self.received, pl.concat([came, went]), ("currency", "day"))

    def _breaks(self, breaks: pl.DataFrame) -> None:
        by = ("severity", "code", "reason", "kind", "break_state")
        self.counted_breaks = _added(self.counted_breaks, breaks.group_by(by).agg(number=pl.len().cast(pl.Int64)), by)
        open_ones = breaks.filter(~pl.col("break_state").is_in(CLOSED), pl.col("kind") == "real")
        # The worst of all are among the worst so far and the new ones, so no more than those are ever held.
        candidates = pl.concat([self.breaks, open_ones]) if self.breaks.width else open_ones
        self.breaks = candidates.sort(_urgency(), nulls_last=True, maintain_order=True).head(WORST_BREAKS)
        accepted = breaks.filter(pl.col("break_state") == "ACCEPTED")
        held = pl.concat([self.accepted, accepted]) if self.accepted.width else accepted
        self.accepted = held.sort("expires_on", "owner", "fingerprint", nulls_last=True).head(MOST_ACCEPTED)

    def _aging(self, aging: pl.DataFrame) -> None:
        self.aging = _added(self.aging, aging, _BUCKET)

    def _aging_terms(self, aging_terms: pl.DataFrame) -> None:
        self.aging_terms = _added(self.aging_terms, aging_terms, _BUCKET)

    def _kept(self, kept: pl.DataFrame) -> None:
        counts = kept.select(*_LAST, "evaluated", "kept", "partly_kept", "broken")
        self.kept = _added(self.kept, counts, _LAST)

    def _cash(self, cash: pl.DataFrame) -> None:
        money = cash.select(*_AHEAD, "scheduled_minor", "arrears_minor", "pending_covered_minor", "risk_adjusted_minor")
        self.cash = _added(self.cash, money, _AHEAD)

    def _roll(self, roll: pl.DataFrame) -> None:
        self.roll = _added(self.roll, roll.select(*_MOVES, "plans", "opening_minor"), _MOVES)

    def _integrity(self, integrity: pl.DataFrame) -> None:
        by = ("provider", "entity", "break_currency")
        whole = integrity.group_by(by).agg(complete=pl.col("complete").all(), fresh_at=pl.col("fresh_at").min())
        sums = _summed(integrity.drop("complete", "fresh_at"), by)
        self.integrity = sums.join(whole, on=by, how="left", nulls_equal=True, validate="1:1").sort(by)


def _plan_sums(plans: pl.DataFrame) -> pl.DataFrame:
    in_force = pl.col("is_in_force")
    money = [_total(name, in_force) for name in _MONEY]
    overdue = in_force & (pl.col("overdue_minor") > 0)
    paused, not_owed = stands_on("PAUSED"), stands_on("NOT_OWED")
    uncovered, covered = stands_on("CALL_TODAY"), stands_on("SETTLING")
    counts = [pl.col(name).filter(in_force).sum() for name in _COUNTS]
    return plans.group_by(_WHO).agg(
        *money,
        *counts,
        plans=pl.len().cast(pl.Int64),
        plans_in_force=in_force.sum().cast(pl.Int64),
        plans_past_due=(in_force & (pl.col("days_past_due") > 0)).sum().cast(pl.Int64),
        plans_overdue=overdue.sum().cast(pl.Int64),
        plans_past_due_nothing_pending=uncovered.sum().cast(pl.Int64),
        plans_past_due_pending=covered.sum().cast(pl.Int64),
        plans_overdue_paused=paused.sum().cast(pl.Int64),
        plans_overdue_not_owed=not_owed.sum().cast(pl.Int64),
        overdue_nothing_pending_minor=_total("overdue_minor", uncovered),
        fresh_pending_past_due_minor=_total("fresh_pending_minor", covered),
        overdue_paused_minor=_total("overdue_minor", paused),
        overdue_not_owed_minor=_total("overdue_minor", not_owed),
        overdue_of_ended_plans_minor=_total("overdue_minor", stands_on("ENDED_WITH_MONEY")),
    )


def _total(name: str, where: pl.Expr) -> pl.Expr:
    # Each amount fits into 64 bits, their sum over a portfolio need not.
    return pl.col(name).filter(where).cast(pl.Int128).sum()


def _added(known: pl.DataFrame | None, more: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Add two frames of sums, row by row of equal `by`."""
    both = more if known is None else pl.concat([known, more], how="vertical_relaxed")
    return _summed(both, by)


def _summed(frame: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Sum every integer column; a sum of unknowns alone is unknown."""
    numbers = [name for name, dtype in frame.schema.items() if dtype.is_integer() and name not in by]
    total = [pl.when(pl.col(name).count() > 0).then(pl.col(name).cast(pl.Int128).sum()).alias(name) for name in numbers]
    return frame.group_by(by).agg(total).sort(by)


def _urgency() -> list[pl.Expr]:
    rank = pl.col("severity").replace_strict(dict(SEVERITY_RANKS), return_dtype=pl.Int8)
    return [
        rank.neg(),
        pl.col("difference_minor").abs().neg(),
        pl.col("age_days").neg(),
        *(pl.col(name) for name in ("provider", "tenant_id", "code", "reason", "plan_id", "fingerprint")),
    ]
