"""Which accounts a plan covers, for the checks that hold both side by side."""

import polars as pl

from checks.base import Frames, frame
from schemas.core import WHO


def covered_accounts(frames: Frames) -> pl.DataFrame:
    """Return one row per plan and account it covers, both in the frames given.

    An account is covered because the plan names it or because a link was ever seen. Columns: `plan_no`,
    who, `plan_id`, `currency`, `status`, `basis`, `created_on`, `created_at` of the plan; `account_no`, `account_id`,
    `account_currency`, `is_stopped` of the account.
    """
    plans = frame(frames, "plan_positions")
    named = plans.filter(pl.col("account_no").is_not_null()).select("plan_no", "account_no")
    linked = frame(frames, "plan_accounts").select("plan_no", "account_no")
    accounts = frame(frames, "accounts").select("account_no", "account_id", "is_stopped", account_currency="currency")
    return (
        pl.concat([named, linked])
        .unique(maintain_order=True)
        .join(
            plans.select("plan_no", *WHO, "plan_id", "currency", "status", "basis", "created_on", "created_at"),
            on="plan_no",
            how="inner",
            validate="m:1",
        )
        .join(accounts, on="account_no", how="inner", validate="m:1")
    )
