"""A payment went back on a day before it came.

Means:  one of the two dates is wrong; until it is known which, the money counts as gone.
Causes: a year typed wrong; the return of another payment booked on this one.
Action: look both dates up at the provider or the bank, and have the wrong one corrected.
"""

import polars as pl

from checks.base import Check
from checks.wording import day, sentence, with_code
from schemas.results import PAYMENT_POSITIONS

PAID, BACK = pl.col("effective_date"), pl.col("reversed_on")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="RETURNED_BEFORE_PAID",
    severity="medium",
    over=PAYMENT_POSITIONS,
    applies=BACK.is_not_null(),
    when=BACK < PAID,
    expected=pl.format("{} or later", day(PAID)),
    actual=day(BACK),
    difference_days=(BACK - PAID).dt.total_days(),
    explanation=sentence(
        "Payment {} of {} came on {}, and went back on {}, before it came.",
        pl.col("payment_id"),
        with_code(pl.col("amount_minor")),
        day(PAID),
        day(BACK),
    ),
    needs=("payments",),
)
