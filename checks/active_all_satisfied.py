"""A plan is still active although every term was satisfied more than five business days ago.

Means:  the plan is kept, but the provider has not closed it.
Causes: a last step that somebody must take by hand; a closing job that did not run; a remainder within the
        tolerance that the provider waits for.
Action: close the plan at the provider, or ask what it is waiting for.
"""

import polars as pl

from checks.base import Check, Severity
from checks.wording import day, sentence
from schemas.results import PLAN_POSITIONS

# Providers close a plan within days of its last payment; a plan just paid is no contradiction yet.
CLOSING_BUSINESS_DAYS = 5
SINCE = pl.col("business_days_satisfied")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="ACTIVE_ALL_SATISFIED",
    severity=Severity.LOW,
    over=PLAN_POSITIONS,
    applies=pl.col("status") == "ACTIVE",
    # No count means that a term is open.
    when=SINCE.is_not_null() & (SINCE > CLOSING_BUSINESS_DAYS),
    expected=pl.lit("finished"),
    actual=pl.lit("active"),
    difference_days=SINCE - CLOSING_BUSINESS_DAYS,
    explanation=sentence(
        "Plan {}: every term has been satisfied since {}, {} business days ago, yet the provider calls it active.",
        pl.col("plan_id"),
        day(pl.col("last_satisfied_on")),
        SINCE,
    ),
    needs=("plans", "terms", "payments"),
)
