"""An account is in another currency than the plan that covers it.

Means:  payments on the account cannot be set against the terms of the plan.
Causes: a currency symbol mapped to the wrong code; an invoice or account linked to the wrong plan.
Action: check the symbol in the settings, then the link at the provider.
"""

import polars as pl

from checks.base import JUDGED, Check
from checks.links import covered_accounts
from checks.wording import sentence
from schemas.core import PLAN_ACCOUNTS

CHECK = Check(
    code="CURRENCY_DIFF",
    reason="ACCOUNT",
    severity="high",
    over=PLAN_ACCOUNTS,
    prepare=covered_accounts,
    applies=pl.col("status").is_in(JUDGED),
    when=pl.col("currency") != pl.col("account_currency"),
    expected=pl.col("currency"),
    actual=pl.col("account_currency"),
    explanation=sentence(
        "Plan {} is in {}, but account {} that it covers is in {}.",
        pl.col("plan_id"),
        pl.col("currency"),
        pl.col("account_id"),
        pl.col("account_currency"),
    ),
    needs=("plans", "accounts"),
)
