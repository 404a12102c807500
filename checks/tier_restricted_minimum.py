"""A plan has terms smaller than the policy allows.

Means:  the customer pays less each time than is accepted for a balance of this size.
Causes: a plan made before the minimum was raised; a plan made by hand; own amounts that were not checked.
Action: have the plan made anew with larger terms, or the exception recorded. A last term that is smaller, because
        it takes what is left, is allowed.
"""

import polars as pl

from checks.base import Check
from checks.policy import planned
from checks.wording import money, sentence, with_code
from schemas.results import PLAN_POSITIONS

LEAST, SMALLEST = pl.col("least_minor"), pl.col("smallest_minor")

CHECK = Check(
    code="POLICY_VIOLATION",
    reason="TIER_RESTRICTED_MINIMUM",
    severity="medium",
    over=PLAN_POSITIONS,
    prepare=planned,
    applies=pl.col("is_in_force") & LEAST.is_not_null() & SMALLEST.is_not_null(),
    when=SMALLEST < LEAST,
    expected=money(LEAST),
    actual=money(SMALLEST),
    difference_minor=SMALLEST - LEAST,
    explanation=sentence(
        "Plan {} has a term of {}, but the policy of account {} asks for at least {} each time.",
        pl.col("plan_id"),
        with_code(SMALLEST),
        pl.col("account_id"),
        with_code(LEAST),
    ),
    needs=("plans", "terms", "policies"),
)
