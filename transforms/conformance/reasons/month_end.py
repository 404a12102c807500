"""The provider treats a day that a month lacks, or the end of the month, in another way."""

import polars as pl

from transforms.conformance.changes import Change

REASON = "MONTH_END"
CAUSE = "the end of the month is treated in another way"

_SHORT = frozenset({"short_month"})
_BY_DAY = pl.col("frequency").is_in(["MONTHLY", "SEMIMONTHLY"]) & pl.col("pattern").ne_missing("WEEKDAY")
_DAY = pl.col("first_day").fill_null(pl.col("first_due_date").dt.day().cast(pl.Int64))
_OFTEN_LAST = (pl.col("frequency") == "MONTHLY") & _BY_DAY & _DAY.is_between(28, 30)

CHANGES = (
    Change(
        says="a day the month lacks becomes its last day",
        touches=_SHORT,
        conventions={"short_month": "LAST_DAY"},
        applies=_BY_DAY,
    ),
    Change(
        says="a day the month lacks becomes the first of the next month",
        touches=_SHORT,
        conventions={"short_month": "OVERFLOW"},
        applies=_BY_DAY,
    ),
    Change(
        says="day 31 becomes the first of the next month where the month lacks it",
        touches=_SHORT,
        conventions={"short_month": "OVERFLOW_31"},
        applies=_BY_DAY,
    ),
    Change(
        says="the plan falls due on the last day of each month",
        touches=_SHORT,
        rules={"first_day": pl.lit(31, dtype=pl.Int64)},
        applies=_OFTEN_LAST,
    ),
)
