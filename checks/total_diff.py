"""The terms of a plan do not add up to the total that the provider states for it.

Means:  following the terms to the end settles more or less than was agreed.
Causes: a term missing, added or edited after the plan was made; a rounding remainder placed nowhere.
Action: find the term that is missing or wrong at the provider and correct it there.
"""

import polars as pl

from checks.base import JUDGED, Check
from checks.wording import money, sentence, with_code
from schemas.results import PLAN_POSITIONS

STATED = pl.col("stated_total_minor")
TERMS = pl.col("amount_minor") - pl.col("waived_minor")

CHECK = Check(
    code="TOTAL_DIFF",
    severity="medium",
    over=PLAN_POSITIONS,
    applies=STATED.is_not_null() & pl.col("status").is_in(JUDGED),
    when=STATED != TERMS,
    expected=money(STATED),
    actual=money(TERMS),
    difference_minor=TERMS - STATED,
    explanation=sentence(
        "Plan {}: its terms add up to {}, the provider states a total of {}: a difference of {}.",
        pl.col("plan_id"),
        with_code(TERMS),
        with_code(STATED),
        with_code(TERMS - STATED),
    ),
    needs=("plans", "terms"),
)
