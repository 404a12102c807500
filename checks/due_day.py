"""A plan does not fall due on the day of the month that the policy of its account enforces.

Means:  the plan fires on another day than the bill is due.
Causes: a plan made on a day of its own before the day was enforced; a bill whose due day moved.
Action: have the plan moved to the due day, or the enforcement lifted. In a month that lacks the day, its last day
        counts.
"""

import polars as pl

from checks.base import Check
from checks.policy import planned
from checks.wording import day, sentence
from schemas.results import PLAN_POSITIONS

OFF, ON, WANTED = pl.col("off_terms"), pl.col("off_on"), pl.col("off_from")

CHECK = Check(
    code="POLICY_VIOLATION",
    reason="DUE_DAY",
    severity="low",
    over=PLAN_POSITIONS,
    prepare=planned,
    applies=pl.col("is_in_force") & OFF.is_not_null(),
    when=OFF > 0,
    expected=day(WANTED),
    actual=day(ON),
    difference_days=(ON - WANTED).dt.total_days(),
    explanation=sentence(
        "Plan {}: {} of {} terms do not fall on day {}, which the policy of account {} enforces; "
        "the first is due on {} instead of {}.",
        pl.col("plan_id"),
        OFF,
        pl.col("term_count"),
        pl.col("enforced_day"),
        pl.col("account_id"),
        day(ON),
        day(WANTED),
    ),
    needs=("plans", "terms", "policies"),
)
