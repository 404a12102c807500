"""A term has another amount than the plan's own rules give.

Means:  the customer pays too much or too little on this day; whether the plan as a whole still adds up is said by
        TOTAL_DIFF.
Causes: ROUNDING_PLACEMENT: the minor units that do not divide stand on another term; ROUNDING: they differ by no
        more than one per term over the plan; UNEXPLAINED: an amount set by hand, or an agreement that changed.
Action: leave rounding to a convention in the configuration; have any other amount explained or corrected at the
        provider.
"""

import polars as pl

from checks.base import Check
from checks.compared import CODE, IN_FORCE, SAID, named
from checks.wording import money
from schemas.schedules import DIFFERENCES

CHECK = Check(
    code="AMOUNT_DIFF",
    narrowed=pl.col("reason"),
    severity="medium",
    over=DIFFERENCES,
    prepare=named,
    applies=IN_FORCE,
    when=CODE == "AMOUNT_DIFF",
    expected=money(pl.col("expected_amount_minor")),
    actual=money(pl.col("amount_minor")),
    difference_minor=pl.col("amount_minor") - pl.col("expected_amount_minor"),
    explanation=SAID,
    needs=("plans", "terms", "accounts"),
)
