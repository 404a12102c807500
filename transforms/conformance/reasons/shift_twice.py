"""The provider shifts once more than agreed, or stops shifting too early."""

import polars as pl

from transforms.conformance.changes import convention, shift_change

REASON = "SHIFT_TWICE"
CAUSE = "shifts are repeated in another way"

CHANGES = (
    convention("shift_mode", "REPEAT", "shifts are repeated until the day is open"),
    convention("shift_mode", "ONCE", "each shift is made only once"),
    shift_change("weekend_shift", pl.col("weekend_shift") * 2, "the weekend shift is made twice"),
    shift_change("holiday_shift", pl.col("holiday_shift") * 2, "the holiday shift is made twice"),
)
