"""An account has more than one active plan.

Means:  the customer may be asked twice for the same debt. Money received counts for the newest plan; the break
        stands on each older one. Where the provider keeps the balances, an invoice or case names one plan at a time:
        the break stands on each active plan that had it before.
Causes: a new plan made without ending the old one; a plan made twice; an invoice put into a new plan while the old
        one goes on.
Action: end the plan that should not run.
"""

import polars as pl

from checks.base import Check, Frames, frame
from checks.links import covered_accounts
from checks.wording import sentence
from schemas.core import PLAN_ACCOUNTS

IS_OURS = pl.col("basis") == "PAYMENTS"


def with_valid_plan(frames: Frames) -> pl.DataFrame:
    """Return active plans by account, with `active_plans` there and the valid one's `valid_plan_no` and id.

    Valid is the newest, or where the provider keeps the balance the one that the account names now, itself or
    through its case; plans on an account that names none of them are left out.
    """
    names = _named_now(frame(frames, "accounts"), frame(frames, "plan_positions"))
    active = (
        covered_accounts(frames)
        .filter(pl.col("status") == "ACTIVE")
        .join(names, on="account_no", how="left", validate="m:1")
        .filter(IS_OURS | pl.col("names_plan_no").is_not_null())
    )
    is_last = pl.when(~IS_OURS).then(pl.col("plan_no") == pl.col("names_plan_no"))
    valid = (
        active.sort("account_no", is_last, "created_on", "created_at", "plan_id", nulls_last=True)
        .group_by("account_no", maintain_order=True)
        .agg(
            active_plans=pl.len().cast(pl.Int64),
            valid_plan_no=pl.col("plan_no").last(),
            valid_plan_id=pl.col("plan_id").last(),
        )
    )
    return active.join(valid, on="account_no", how="left", validate="m:1")


def _named_now(accounts: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Return the active plan that each account names; a case holds its invoices, so its word comes first."""
    there = accounts.filter(pl.col("removed_on").is_null())
    cases = there.select(parent_account_no="account_no", of_case="active_plan_no")
    active = plans.filter(pl.col("status") == "ACTIVE")["plan_no"].implode()
    named = [pl.when(pl.col(name).is_in(active)).then(name) for name in ("of_case", "active_plan_no")]
    return (
        there.join(cases, on="parent_account_no", how="left", validate="m:1")
        .select("account_no", account_updated_on="updated_on", names_plan_no=pl.coalesce(named))
        .drop_nulls("names_plan_no")
    )


CHECK = Check(
    code="POLICY_VIOLATION",
    reason="TWO_ACTIVE_PLANS",
    severity="high",
    over=PLAN_ACCOUNTS,
    prepare=with_valid_plan,
    whole=True,
    # What an account named before it was last changed is not known.
    applies=IS_OURS | ~(pl.col("account_updated_on") > pl.col("as_of")).fill_null(value=False),
    when=pl.col("plan_no") != pl.col("valid_plan_no"),
    expected=pl.lit("1 active plan"),
    actual=pl.format("{} active plans", pl.col("active_plans")),
    explanation=sentence(
        "Account {} has {} active plans: plan {} is still active beside {} plan {}.",
        pl.col("account_id"),
        pl.col("active_plans"),
        pl.col("plan_id"),
        pl.when(IS_OURS).then(pl.lit("the newer")).otherwise(pl.lit("the one it names now,")),
        pl.col("valid_plan_id"),
    ),
    needs=("plans", "accounts"),
)
