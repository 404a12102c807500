"""A plan is in the provider's list again after it had been gone from it.

Means:  for a time its money was in no total; figures of those days leave it out.
Causes: a deletion taken back; rights that were missing for a time; a list that was cut short and called complete.
Action: compare the plan with what it was before; ask the provider why it was gone. The days in between are restated
        by a report for them.
"""

import polars as pl

from checks.base import Check, Frames, frame, has_happened
from checks.wording import day, sentence
from schemas.results import PLAN_POSITIONS

GONE = pl.col("was_gone_on")


def with_absence(frames: Frames) -> pl.DataFrame:
    """Return the plans with `was_gone_on`, the day of the complete fetch that last found them gone."""
    facts = frame(frames, "plan_facts").select("plan_no", "was_gone_on")
    return frame(frames, "plan_positions").join(facts, on="plan_no", how="left", validate="1:1")


CHECK = Check(
    code="PLAN_REAPPEARED",
    severity="low",
    over=PLAN_POSITIONS,
    prepare=with_absence,
    applies=pl.col("is_in_force"),
    when=has_happened(GONE),
    expected=pl.lit("there all along"),
    actual=pl.format("gone on {}", day(GONE)),
    explanation=sentence(
        "Plan {} is in the provider's list again; a complete list of {} did not have it.", pl.col("plan_id"), day(GONE)
    ),
    needs=("plans",),
)
