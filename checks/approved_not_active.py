"""An approved plan is neither active, nor deactivated, nor finished.

Means:  the plan's status is unknown. Its terms are judged all the same, so that nothing owed is lost from sight.
Causes: an activation that failed; a deactivation without its stamp; a partial import.
Action: ask the provider whether the plan runs; then have it activated, or deactivated with a date.
"""

import polars as pl

from checks.base import Check, has_happened
from checks.wording import day, sentence, with_code
from schemas.results import PLAN_POSITIONS

APPROVED = pl.col("approved_on")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="APPROVED_NOT_ACTIVE",
    severity="high",
    over=PLAN_POSITIONS,
    applies=has_happened(APPROVED),
    when=pl.col("status") == "UNKNOWN",
    expected=pl.lit("active, deactivated or finished"),
    actual=pl.lit("none of them"),
    explanation=sentence(
        "Plan {} was approved on {} but is neither active nor deactivated nor finished; {} of it is outstanding.",
        pl.col("plan_id"),
        day(APPROVED),
        with_code(pl.col("outstanding_minor")),
    ),
    needs=("plans", "terms"),
)
