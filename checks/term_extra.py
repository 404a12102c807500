"""The provider has a term that the plan's own rules do not give.

Means:  the customer is asked once more than was agreed.
Causes: a term added by hand; a schedule generated again beside the old one; a term that should have been removed
        with an earlier plan.
Action: have the term removed at the provider, or the plan's rules corrected to what was agreed.
"""

import polars as pl

from checks.base import Check
from checks.compared import CODE, IN_FORCE, SAID, named
from checks.wording import money
from schemas.schedules import DIFFERENCES

AMOUNT = pl.col("amount_minor")

CHECK = Check(
    code="TERM_EXTRA",
    narrowed=pl.col("reason"),
    severity="medium",
    over=DIFFERENCES,
    prepare=named,
    applies=IN_FORCE,
    when=CODE == "TERM_EXTRA",
    expected=money(pl.lit(0, dtype=pl.Int64)),
    actual=money(AMOUNT),
    difference_minor=AMOUNT,
    currency=pl.when(AMOUNT.is_not_null()).then("currency"),
    explanation=SAID,
    needs=("plans", "terms"),
)
