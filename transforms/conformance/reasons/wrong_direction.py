"""The provider shifts the other way: earlier instead of later, or later instead of earlier."""

import polars as pl

from transforms.conformance.changes import Change, shift_change

REASON = "WRONG_DIRECTION"
CAUSE = "the shift goes the other way"

_WEEKEND, _HOLIDAY = pl.col("weekend_shift"), pl.col("holiday_shift")

CHANGES = (
    shift_change("weekend_shift", -_WEEKEND, "the weekend shift goes the other way"),
    shift_change("holiday_shift", -_HOLIDAY, "the holiday shift goes the other way"),
    Change(
        says="both shifts go the other way",
        touches=frozenset({"weekend_shift", "holiday_shift"}),
        rules={"weekend_shift": -_WEEKEND, "holiday_shift": -_HOLIDAY},
        applies=((_WEEKEND != 0) & (_HOLIDAY != 0)).fill_null(value=False),
    ),
)
