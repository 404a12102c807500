"""The provider moves dates off a holiday by another number of days than the plan says, or not at all."""

import polars as pl

from transforms.conformance.changes import shift_change

REASON = "HOLIDAY_SHIFT"
CAUSE = "the holiday is not avoided as agreed"

_OWN = pl.col("holiday_shift")

CHANGES = (
    shift_change("holiday_shift", pl.lit(0, dtype=pl.Int64), "the holiday is not avoided"),
    *(
        # The other way round is a reason of its own.
        shift_change(
            "holiday_shift",
            pl.lit(days, dtype=pl.Int64),
            f"the holiday shift is {days:+} day{'s' if abs(days) > 1 else ''}",
            applies=(_OWN == 0) | (-days != _OWN),
        )
        for days in (1, -1)
    ),
)
