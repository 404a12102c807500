"""A payment was given back in part, and the provider does not say how much.

Means:  the whole payment still counts as received, so the plan may owe more than is shown.
Causes: a refund whose lines carry no amounts yet; a refund still being processed.
Action: ask the provider for the amount given back.
"""

import polars as pl

from checks.base import Check
from checks.wording import day, sentence, with_code
from schemas.results import PAYMENT_POSITIONS

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="REVERSAL_AMOUNT_UNKNOWN",
    severity="medium",
    over=PAYMENT_POSITIONS,
    applies=pl.col("is_money"),
    when=~pl.col("is_reversal_amount_known")
    & (pl.col("reversed_on").is_null() | (pl.col("reversed_on") <= pl.col("as_of"))),
    expected=pl.lit("an amount given back"),
    actual=pl.col("provider_status").fill_null("none"),
    explanation=sentence(
        "Payment {} of {} on {} is marked {}, but the provider does not say how much was given back; "
        "it still counts in full.",
        pl.col("payment_id"),
        with_code(pl.col("amount_minor")),
        day(pl.col("effective_date")),
        pl.col("provider_status"),
    ),
    needs=("payments",),
)
