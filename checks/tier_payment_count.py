"""A plan has more terms than the policy allows for a balance of its size.

Means:  the plan runs longer than a debt of this size may.
Causes: a plan made before the tiers changed; a plan made by hand; payments smaller than the tier is meant for.
Action: have the plan made anew with fewer terms, or the exception recorded. Tiers that overlap and disagree on the
        plan's balance are not held against the plan; they are a finding of their own.
"""

import polars as pl

from checks.base import Check
from checks.policy import planned
from checks.wording import sentence, with_code
from schemas.results import PLAN_POSITIONS

MOST = pl.col("most_payments")

CHECK = Check(
    code="POLICY_VIOLATION",
    reason="TIER_PAYMENT_COUNT",
    severity="medium",
    over=PLAN_POSITIONS,
    prepare=planned,
    applies=pl.col("is_in_force") & MOST.is_not_null(),
    when=pl.col("term_count") > MOST,
    expected=pl.format("at most {} terms", MOST),
    actual=pl.format("{} terms", pl.col("term_count")),
    explanation=sentence(
        "Plan {} has {} terms, but the tier for its balance of {} allows at most {}.",
        pl.col("plan_id"),
        pl.col("term_count"),
        with_code(pl.col("balance")),
        MOST,
    ),
    needs=("plans", "terms", "policies"),
)
