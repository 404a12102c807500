"""A plan has more terms than the policy of its account allows.

Means:  the plan runs longer than it may.
Causes: a plan made before the policy was tightened; a plan made by hand past the limit; payments too small for the
        balance.
Action: have the plan made anew within the limit, or the exception recorded.
"""

import polars as pl

from checks.base import Check
from checks.policy import planned
from checks.wording import sentence
from schemas.results import PLAN_POSITIONS

MOST = pl.col("maximum_term")

CHECK = Check(
    code="POLICY_VIOLATION",
    reason="MAXIMUM_TERM",
    severity="medium",
    over=PLAN_POSITIONS,
    prepare=planned,
    applies=pl.col("is_in_force") & MOST.is_not_null(),
    when=pl.col("term_count") > MOST,
    expected=pl.format("at most {} terms", MOST),
    actual=pl.format("{} terms", pl.col("term_count")),
    explanation=sentence(
        "Plan {} has {} terms, but the policy of account {} allows at most {}.",
        pl.col("plan_id"),
        pl.col("term_count"),
        pl.col("account_id"),
        MOST,
    ),
    needs=("plans", "terms", "policies"),
)
