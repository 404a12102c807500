"""A plan for a part of an account's balance is for more than the whole of it.

Means:  following the plan to the end pays more than was owed when it was made.
Causes: a total typed by hand; a payment or correction that came between looking up the balance and making the plan.
Action: check what was owed on the day the plan was made, and have the plan made anew for that or less.
"""

import polars as pl

from checks.base import Check, Frames, frame
from checks.wording import day, money, sentence, with_code
from schemas.results import PLAN_POSITIONS

TOTAL, BALANCE = pl.col("stated_total_minor"), pl.col("balance_at_creation_minor")


def with_balance(frames: Frames) -> pl.DataFrame:
    """Return the plans with `is_partial` and `balance_at_creation_minor`, null where that was never seen."""
    facts = frame(frames, "plan_facts").select("plan_no", "is_partial", "balance_at_creation_minor")
    return frame(frames, "plan_positions").join(facts, on="plan_no", how="left", validate="1:1")


CHECK = Check(
    code="POLICY_VIOLATION",
    reason="PARTIAL_TOTAL_ABOVE_BALANCE",
    severity="medium",
    over=PLAN_POSITIONS,
    prepare=with_balance,
    applies=pl.col("is_in_force")
    & pl.col("is_partial").fill_null(value=False)
    & TOTAL.is_not_null()
    & BALANCE.is_not_null(),
    when=TOTAL > BALANCE,
    expected=pl.format("at most {}", money(BALANCE)),
    actual=money(TOTAL),
    difference_minor=TOTAL - BALANCE,
    explanation=sentence(
        "Plan {} is for {}, but account {} owed {} when the plan was made on {}: {} too much.",
        pl.col("plan_id"),
        with_code(TOTAL),
        pl.col("account_id"),
        with_code(BALANCE),
        day(pl.col("created_on")),
        with_code(TOTAL - BALANCE),
    ),
    needs=("plans", "accounts"),
)
