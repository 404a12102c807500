"""Money went back after the plan that it had paid was over.

Means:  it is owed again, and no plan asks for it: the plan was ended, replaced or finished before the bank took the
        money back.
Causes: a collection returned after the last term; a card payment charged back after the plan was closed.
Action: ask the customer again, or make a plan for it. The break is gone once later money on the same account, outside
        any plan, covers it.
"""

import polars as pl

from checks.base import Check
from checks.returns import with_return
from checks.wording import day, money, sentence, with_code
from schemas.results import PAYMENT_POSITIONS

RETURNED = pl.col("returned_minor")

CHECK = Check(
    code="RETURNED_AFTER_END",
    severity="high",
    over=PAYMENT_POSITIONS,
    prepare=with_return,
    whole=True,
    applies=RETURNED.is_not_null(),
    when=pl.col("is_owed_again"),
    at_least=pl.lit("high"),
    expected=money(pl.lit(0, dtype=pl.Int64)),
    actual=money(RETURNED),
    difference_minor=RETURNED,
    explanation=sentence(
        "Payment {} of {}: {} went back on {}, after plan {} was over; it is owed again, and no plan asks for it.",
        pl.col("payment_id"),
        day(pl.col("effective_date")),
        with_code(RETURNED),
        day(pl.col("reversed_on")),
        pl.col("plan_id"),
    ),
    needs=("plans", "payments"),
)
