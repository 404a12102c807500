"""A plan was both approved and rejected.

Means:  two decisions stand side by side; which of them holds is not said.
Causes: a decision reversed without clearing the first stamp; two people deciding at once.
Action: ask the provider which decision holds and have the other stamp removed.
"""

import polars as pl

from checks.base import Check, has_happened
from checks.wording import day, sentence
from schemas.results import PLAN_POSITIONS

APPROVED, REJECTED = pl.col("approved_on"), pl.col("rejected_on")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="APPROVED_AND_REJECTED",
    severity="high",
    over=PLAN_POSITIONS,
    applies=has_happened(APPROVED) | has_happened(REJECTED),
    when=has_happened(APPROVED) & has_happened(REJECTED),
    expected=pl.lit("one decision"),
    actual=pl.lit("approved and rejected"),
    explanation=sentence(
        "Plan {} was approved on {} and rejected on {}; only one of them can hold.",
        pl.col("plan_id"),
        day(APPROVED),
        day(REJECTED),
    ),
    needs=("plans",),
)
