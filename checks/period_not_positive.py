"""A plan that counts in days has a period of no days at all.

Means:  every term would fall on one day, or before the first; no schedule can be made of such rules.
Causes: a field left at zero; a sign typed by hand.
Action: have the period corrected at the provider.
"""

import polars as pl

from checks.base import Check
from checks.ruled import ruled
from checks.wording import sentence
from schemas.schedules import PLAN_RULES

PERIOD = pl.col("days_in_period")

CHECK = Check(
    code="POLICY_VIOLATION",
    reason="PERIOD_NOT_POSITIVE",
    severity="medium",
    over=PLAN_RULES,
    prepare=ruled,
    # A period that is not given is a missing input, which is reported elsewhere.
    applies=pl.col("is_in_force") & (pl.col("frequency") == "DAYS").fill_null(value=False) & PERIOD.is_not_null(),
    when=PERIOD <= 0,
    expected=pl.lit("a period of 1 day or more"),
    actual=pl.format("{} days", PERIOD),
    explanation=sentence("Plan {}: its terms are {} days apart, but must be at least 1.", pl.col("plan_id"), PERIOD),
    needs=("plans",),
)
