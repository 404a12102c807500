"""A payment is in another currency than the plan it pays.

Means:  the amounts cannot be added; neither figure can be trusted.
Causes: a currency symbol mapped to the wrong code; a payment booked on the wrong account.
Action: check the symbol in the settings, then the payment at the provider.
"""

import polars as pl

from checks.base import Check, Frames, frame
from checks.wording import sentence, with_code
from schemas.results import PAYMENT_POSITIONS


def with_plan_currency(frames: Frames) -> pl.DataFrame:
    """Return the payments with `plan_currency`, null where a payment is in no plan."""
    plans = frame(frames, "plan_positions").select("plan_no", plan_currency="currency")
    return frame(frames, "payment_positions").join(plans, on="plan_no", how="left", validate="m:1")


CHECK = Check(
    code="CURRENCY_DIFF",
    reason="PAYMENT",
    severity="high",
    over=PAYMENT_POSITIONS,
    prepare=with_plan_currency,
    applies=pl.col("plan_currency").is_not_null(),
    when=pl.col("currency") != pl.col("plan_currency"),
    expected=pl.col("plan_currency"),
    actual=pl.col("currency"),
    explanation=sentence(
        "Payment {} of {} pays plan {}, which is in {}.",
        pl.col("payment_id"),
        with_code(pl.col("amount_minor")),
        pl.col("plan_id"),
        pl.col("plan_currency"),
    ),
    needs=("plans", "payments"),
)
