"""The provider looks at weekend and holiday in the other order."""

import polars as pl

from transforms.conformance.changes import convention

REASON = "SHIFT_ORDER"
CAUSE = "weekend and holiday are looked at in the other order"

_BOTH = ((pl.col("weekend_shift") != 0) & (pl.col("holiday_shift") != 0)).fill_null(value=False)

CHANGES = (
    convention("shift_order", "HOLIDAY_FIRST", "the holiday is looked at before the weekend", applies=_BOTH),
    convention("shift_order", "WEEKEND_FIRST", "the weekend is looked at before the holiday", applies=_BOTH),
)
