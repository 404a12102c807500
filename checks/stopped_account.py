"""A plan is active on an account on which no payment may fire.

Means:  the terms fall due, but nothing will be collected.
Causes: the account was stopped and the plan forgotten; the stop should have been lifted.
Action: end the plan, or have the stop lifted.
"""

import polars as pl

from checks.base import Check
from checks.links import covered_accounts
from checks.wording import sentence
from schemas.core import PLAN_ACCOUNTS

CHECK = Check(
    code="POLICY_VIOLATION",
    reason="STOPPED_ACCOUNT",
    severity="high",
    over=PLAN_ACCOUNTS,
    prepare=covered_accounts,
    applies=(pl.col("status") == "ACTIVE") & pl.col("is_stopped").is_not_null(),
    when=pl.col("is_stopped"),
    expected=pl.lit("not stopped"),
    actual=pl.lit("stopped"),
    explanation=sentence(
        "Plan {} is active, but account {} that it covers is stopped, so no payment will fire.",
        pl.col("plan_id"),
        pl.col("account_id"),
    ),
    needs=("plans", "accounts"),
)
