"""Collect what page and summary show of frames too big to keep: sums by currency, and the worst rows.

Amounts of different currencies are never added. What of a digest the summary says is in `summary.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from schemas.words import CLOSED, INVOICES_OWE_LESS, PAUSED, SEVERITIES, SEVERITY_RANKS

WORST_PLANS = 12
"""Plans listed per currency."""
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
_SHOWN = (
    *(
        "provider",
        "tenant_id",
        "plan_id",
        "account_id",
        "customer_id",
        "reference",
        "currency",
        "overdue_minor",
        "outstanding_minor",
    ),
    *("fresh_pending_minor", "missed_terms", "days_past_due", "bucket", "oldest_unpaid_due_date", "next_due_date"),
)


def _flagged(word: str) -> pl.Expr:
    return pl.col("flags").str.split(";").list.contains(word).fill_null(value=False)


IS_LEFT_ALONE = _flagged(PAUSED) | _flagged(INVOICES_OWE_LESS)
"""Plans that are not to be chased, however late: they have lines of their own."""


@dataclass(slots=True)
class Digest:
    """Collects what readers see first while the tables are written."""

    sums: pl.DataFrame | None = None
    worst: pl.DataFrame | None = None
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
            "breaks": self._breaks,
            "aging": self._aging,
            "aging_terms": self._aging_terms,
            "integrity": self._integrity,
        }.get(name)
        if take is not None:
            take(frame)

    def _plans(self, plans: pl.DataFrame) -> None:
        self.sums = _added(self.sums, _plan_sums(plans), _WHO)
        late = plans.filter("is_in_force", pl.col("overdue_minor") > 0, ~IS_LEFT_ALONE).select(_SHOWN)
        self.worst = _worst(late if self.worst is None else pl.concat([self.worst, late]))

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

    def _integrity(self, integrity: pl.DataFrame) -> None:
        by = ("provider", "entity", "break_currency")
        whole = integrity.group_by(by).agg(complete=pl.col("complete").all(), fresh_at=pl.col("fresh_at").min())
        sums = _summed(integrity.drop("complete", "fresh_at"), by)
        self.integrity = sums.join(whole, on=by, how="left", nulls_equal=True, validate="1:1").sort(by)


def _plan_sums(plans: pl.DataFrame) -> pl.DataFrame:
    in_force = pl.col("is_in_force")
    money = [_total(name, in_force) for name in _MONEY]
    overdue = in_force & (pl.col("overdue_minor") > 0)
    past_due = in_force & (pl.col("days_past_due") > 0) & ~IS_LEFT_ALONE
    paused, not_owed = overdue & _flagged(PAUSED), overdue & _flagged(INVOICES_OWE_LESS) & ~_flagged(PAUSED)
    uncovered = past_due & (pl.col("fresh_pending_minor") == 0)
    covered = past_due & (pl.col("fresh_pending_minor") != 0)
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
        overdue_of_ended_plans_minor=_total("overdue_minor", ~in_force),
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


def _worst(late: pl.DataFrame) -> pl.DataFrame:
    """Keep the most overdue plans of each currency; ties by id, so that the choice does not depend on order."""
    ordered = late.sort(
        "currency", pl.col("overdue_minor").neg(), "provider", "tenant_id", "plan_id", maintain_order=True
    )
    return ordered.group_by("currency", maintain_order=True).head(WORST_PLANS)


def _urgency() -> list[pl.Expr]:
    rank = pl.col("severity").replace_strict(dict(SEVERITY_RANKS), return_dtype=pl.Int8)
    return [
        rank.neg(),
        pl.col("difference_minor").abs().neg(),
        pl.col("age_days").neg(),
        *(pl.col(name) for name in ("provider", "tenant_id", "code", "reason", "plan_id", "fingerprint")),
    ]
