"""A payment has been pending for longer than it should.

Means:  the money was announced and neither came nor failed; it no longer counts as cover for what is due.
Causes: a collection that was never handed in; an answer from the bank that was lost; a hold nobody released.
Action: ask the provider what became of the payment; have it collected again or cancelled.
"""

import polars as pl

from checks.base import Check
from checks.wording import day, sentence, with_code
from schemas.results import PAYMENT_POSITIONS

PENDING, LIMIT = pl.col("pending_business_days"), pl.col("stale_pending_days")
# A payment entered ahead waits from the day it is to be made on.
SINCE = pl.max_horizontal("counts_from", "planned_on")

CHECK = Check(
    code="STALE_PENDING",
    severity="medium",
    over=PAYMENT_POSITIONS,
    applies=pl.col("is_money") & (pl.col("class") == "pending"),
    when=pl.col("is_stale"),
    # Both texts stay as they are while the days go by, so the break does not change every morning.
    expected=pl.format("settled or failed within {} business days", LIMIT),
    actual=pl.format("pending since {}", day(SINCE)),
    difference_days=PENDING - LIMIT,
    explanation=sentence(
        "Payment {} of {} has been pending since {}, {} business days; the limit is {}.",
        pl.col("payment_id"),
        with_code(pl.col("amount_minor")),
        day(SINCE),
        PENDING,
        LIMIT,
    ),
    needs=("payments",),
)
