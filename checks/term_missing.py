"""The plan's own rules give a term that the provider does not have.

Means:  nobody will ask for this money on this day; `term_id` names its place in the rule, `expected:3` the third.
Causes: a term deleted by hand; a generation that stopped early; two terms of one day made into one.
Action: have the term added at the provider, or the plan's rules corrected to what was agreed.
"""

import polars as pl

from checks.base import Check
from checks.compared import CODE, IN_FORCE, SAID, named
from checks.wording import day, money
from schemas.schedules import DIFFERENCES

AMOUNT = pl.col("expected_amount_minor")
NOTHING = pl.lit(0, dtype=pl.Int64)

CHECK = Check(
    code="TERM_MISSING",
    narrowed=pl.col("reason"),
    severity="medium",
    over=DIFFERENCES,
    prepare=named,
    applies=IN_FORCE,
    when=CODE == "TERM_MISSING",
    # Where the plan's total is not known, only the day is.
    expected=pl.coalesce(money(AMOUNT), day(pl.col("expected_due_date"))),
    actual=pl.when(AMOUNT.is_null()).then(pl.lit("no term")).otherwise(money(NOTHING)),
    difference_minor=-AMOUNT,
    currency=pl.when(AMOUNT.is_not_null()).then("currency"),
    explanation=SAID,
    needs=("plans", "terms"),
    from_absence=True,
)
