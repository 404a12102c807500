"""A plan that was still going on is no longer in the provider's complete list.

Means:  nobody can say what became of it; its balances are the last known ones, and in no total.
Causes: a plan deleted without a trace; a plan moved to another administration; rights that no longer reach it.
Action: ask the provider what became of the plan. A deletion that the provider names is none of this.
"""

import polars as pl

from checks.base import Check
from checks.wording import sentence, with_code
from schemas.results import PLAN_POSITIONS

IS_GONE = pl.col("flags").str.contains(r"\bVANISHED\b")

CHECK = Check(
    code="PLAN_VANISHED",
    severity="high",
    over=PLAN_POSITIONS,
    # One that had ended or was refused may leave the list.
    applies=~pl.col("status").is_in(["REJECTED", "DEACTIVATED", "SUPERSEDED"]),
    when=IS_GONE,
    expected=pl.lit("in the provider's list"),
    actual=pl.lit("not in it"),
    explanation=sentence(
        "Plan {} is no longer in the provider's list; {} of it was outstanding when it was last there.",
        pl.col("plan_id"),
        with_code(pl.col("outstanding_minor")),
    ),
    needs=("plans",),
)
