"""A plan is called active although it has a day on which it was rejected.

Means:  the provider's flag and its own stamp disagree; the customer may be paying on a plan that was refused.
Causes: a rejected proposal taken up again; an update that changed one of the two only.
Action: ask the provider which is right; until then the plan counts as rejected.
"""

import polars as pl

from checks.base import Check, has_happened
from checks.wording import day, sentence
from schemas.results import PLAN_POSITIONS

REJECTED = pl.col("rejected_on")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="ACTIVE_AND_REJECTED",
    severity="high",
    over=PLAN_POSITIONS,
    applies=pl.col("is_active").is_not_null(),
    when=pl.col("is_active") & has_happened(REJECTED),
    expected=pl.lit("not active"),
    actual=pl.lit("active"),
    explanation=sentence(
        "Plan {} is called active, but the provider also says it was rejected on {}.",
        pl.col("plan_id"),
        day(REJECTED),
    ),
    needs=("plans",),
)
