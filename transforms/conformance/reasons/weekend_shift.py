"""The provider moves dates off a weekend by another number of days than the plan says, or not at all."""

import polars as pl

from transforms.conformance.changes import shift_change

REASON = "WEEKEND_SHIFT"
CAUSE = "the weekend is not avoided as agreed"

_OWN = pl.col("weekend_shift")

CHANGES = (
    shift_change("weekend_shift", pl.lit(0, dtype=pl.Int64), "the weekend is not avoided"),
    *(
        # The other way round is a reason of its own.
        shift_change(
            "weekend_shift",
            pl.lit(days, dtype=pl.Int64),
            f"the weekend shift is {days:+} day{'s' if abs(days) > 1 else ''}",
            applies=(_OWN == 0) | (-days != _OWN),
        )
        for days in (1, -1, 2, -2)
    ),
)
