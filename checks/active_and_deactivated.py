"""A plan is called active although it has a day on which it was deactivated.

Means:  the provider's flag and its own stamp disagree; nobody can tell whether the plan still runs.
Causes: a plan taken up again without clearing the stamp; an update that changed one of the two only.
Action: ask the provider which is right; until then the plan counts as deactivated.
"""

import polars as pl

from checks.base import Check, has_happened
from checks.wording import day, sentence
from schemas.results import PLAN_POSITIONS

DEACTIVATED = pl.col("deactivated_on")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="ACTIVE_AND_DEACTIVATED",
    severity="high",
    over=PLAN_POSITIONS,
    applies=pl.col("is_active").is_not_null(),
    when=pl.col("is_active") & has_happened(DEACTIVATED),
    expected=pl.lit("not active"),
    actual=pl.lit("active"),
    explanation=sentence(
        "Plan {} is called active, but the provider also says it was deactivated on {}.",
        pl.col("plan_id"),
        day(DEACTIVATED),
    ),
    needs=("plans",),
)
