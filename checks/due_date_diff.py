"""A term falls due on another day than the plan's own rules give.

Means:  the customer is asked on the wrong day, or is called late too early; the reason says which convention,
        changed, gives the provider's day. Several reasons joined by | fit equally well, joined by + only together.
Causes: WEEKEND_SHIFT, HOLIDAY_SHIFT: a shift not made, or made too often; SHIFT_TWICE, SHIFT_ORDER,
        WRONG_DIRECTION: made another way; CASCADED, ANCHOR_DRIFT: counted from the date before instead of the
        first; MONTH_END, FIFTH_WEEK: a day that the month lacks; COLLISION: two terms of one day moved apart;
        UNEXPLAINED: no one or two changes of convention give this day, so it was probably set by hand.
Action: where one reason explains many breaks, settle the convention with the provider and set it in the
        conventions of the configuration; correct single dates at the provider.
"""

import polars as pl

from checks.base import Check
from checks.compared import CODE, IN_FORCE, SAID, with_zone
from checks.wording import day
from schemas.schedules import DIFFERENCES

CHECK = Check(
    code="DUE_DATE_DIFF",
    narrowed=pl.col("reason"),
    severity="medium",
    over=DIFFERENCES,
    prepare=with_zone,
    # Whether a whole tenant is off by a day shows only in all its plans together.
    whole=True,
    # A zone that is off is said once, by its own check.
    applies=IN_FORCE & ~pl.col("is_zone"),
    when=CODE == "DUE_DATE_DIFF",
    expected=day(pl.col("expected_due_date")),
    actual=day(pl.col("due_date")),
    difference_days=pl.col("difference_days"),
    explanation=SAID,
    needs=("plans", "terms"),
)
