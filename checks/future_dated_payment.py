"""A received payment is dated after the day on which it was told.

Means:  nobody receives money tomorrow: the date is wrong. The money counts only from that date on.
Causes: a year or month typed wrong; day and month swapped.
Action: have the date corrected at the provider.
"""

import polars as pl

from checks.base import Check
from checks.wording import day, sentence, with_code
from schemas.results import PAYMENT_POSITIONS

PAID, TOLD = pl.col("effective_date"), pl.col("told_on")
IS_AHEAD = (PAID > TOLD).fill_null(value=False)
# Promises and repeats are no money; a payment service's own rows carry the date of money that comes again as a payment.
IS_TOLD = pl.col("is_money") | pl.col("payment_id").str.starts_with("psp:")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="FUTURE_DATED",
    severity="medium",
    over=PAYMENT_POSITIONS,
    applies=pl.col("class").is_in(["received", "reversed", "partly_reversed"]) & IS_TOLD & TOLD.is_not_null(),
    when=PAID > TOLD,
    expected=pl.format("{} or earlier", day(TOLD)),
    actual=day(PAID),
    difference_days=(PAID - TOLD).dt.total_days(),
    explanation=sentence(
        "Payment {} of {} is dated {}, after {}, the day it was read; it moves no money before that date.",
        pl.col("payment_id"),
        with_code(pl.col("amount_minor")),
        day(PAID),
        day(TOLD),
    ),
    needs=("payments",),
)
