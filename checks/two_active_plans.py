"""An account has more than one active plan.

Means:  the customer may be asked twice for the same debt. Money received counts for the newest plan; the break
        stands on each older one.
Causes: a new plan made without ending the old one; a plan made twice.
Action: end the plan that should not run.
"""

import polars as pl

from checks.base import Check, Frames, Severity
from checks.links import covered_accounts
from checks.wording import sentence
from schemas.core import PLAN_ACCOUNTS


def with_newest_plan(frames: Frames) -> pl.DataFrame:
    """Return active plans by account, with `active_plans` there and the newest one's `newest_plan_no` and id.

    Only plans whose payments are ours to assign: where the provider keeps the balance, an account that moved to
    a new plan leaves its old link behind, and that is no second claim.
    """
    active = covered_accounts(frames).filter((pl.col("status") == "ACTIVE") & (pl.col("basis") == "PAYMENTS"))
    newest = (
        active.sort("account_no", "created_on", "created_at", "plan_id", nulls_last=True)
        .group_by("account_no", maintain_order=True)
        .agg(
            active_plans=pl.len().cast(pl.Int64),
            newest_plan_no=pl.col("plan_no").last(),
            newest_plan_id=pl.col("plan_id").last(),
        )
    )
    return active.join(newest, on="account_no", how="left", validate="m:1")


CHECK = Check(
    code="POLICY_VIOLATION",
    reason="TWO_ACTIVE_PLANS",
    severity=Severity.HIGH,
    over=PLAN_ACCOUNTS,
    prepare=with_newest_plan,
    whole=True,
    applies=pl.lit(value=True),
    when=pl.col("plan_no") != pl.col("newest_plan_no"),
    expected=pl.lit("1 active plan"),
    actual=pl.format("{} active plans", pl.col("active_plans")),
    explanation=sentence(
        "Account {} has {} active plans: plan {} is still active beside the newer plan {}.",
        pl.col("account_id"),
        pl.col("active_plans"),
        pl.col("plan_id"),
        pl.col("newest_plan_id"),
    ),
    needs=("plans", "accounts"),
)
