"""A plan is still active although every term was satisfied more than five business days ago.

Means:  the plan is kept, but the provider has not closed it.
Causes: a last step that somebody must take by hand; a closing job that did not run; a remainder within the
        tolerance that the provider waits for.
Action: close the plan at the provider, or ask what it is waiting for.
"""

import polars as pl

from checks.base import Check, Frames, frame
from checks.links import covered_accounts
from checks.returns import with_return
from checks.wording import day, sentence
from schemas.results import PLAN_POSITIONS
from schemas.seeds import numbers

CLOSING_BUSINESS_DAYS = numbers("windows")["closing_business_days"]
SINCE = pl.col("business_days_satisfied")


def with_owed_again(frames: Frames) -> pl.DataFrame:
    """Return the plans with `is_owed_again`: money of an older plan on one of its accounts went back, and is owed."""
    plans = frame(frames, "plan_positions")
    returns = with_return(frames).filter("is_owed_again").select("account_no", returned_no="plan_no")
    if returns.is_empty():
        return plans.with_columns(is_owed_again=pl.lit(value=False))
    covered = covered_accounts(frames).join(returns, on="account_no", how="inner", validate="m:m")
    newer = covered.filter(pl.col("plan_no") != pl.col("returned_no")).select("plan_no").unique()
    return plans.with_columns(pl.col("plan_no").is_in(newer["plan_no"].implode()).alias("is_owed_again"))


CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="ACTIVE_ALL_SATISFIED",
    severity="low",
    over=PLAN_POSITIONS,
    prepare=with_owed_again,
    whole=True,
    # Closing the account while money of it is owed again would lose sight of it.
    applies=(pl.col("status") == "ACTIVE") & ~pl.col("is_owed_again"),
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
