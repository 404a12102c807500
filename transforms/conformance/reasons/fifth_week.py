"""The provider treats a month without a fifth such weekday in another way."""

import polars as pl

from transforms.conformance.changes import convention

REASON = "FIFTH_WEEK"
CAUSE = "a missing fifth weekday is treated in another way"

_FIFTH = 5
_HAS_FIFTH = (pl.col("pattern") == "WEEKDAY") & (
    (pl.col("first_week") == _FIFTH) | ((pl.col("second_week") == _FIFTH) & (pl.col("frequency") == "SEMIMONTHLY"))
).fill_null(value=False)
_APPLIES = _HAS_FIFTH.fill_null(value=False)

CHANGES = (
    convention("fifth_week", "LAST", "a missing fifth weekday becomes the last one of the month", applies=_APPLIES),
    convention("fifth_week", "SKIP", "a month without a fifth weekday has no term", applies=_APPLIES),
    convention(
        "fifth_week", "NEXT", "a missing fifth weekday becomes the next one, in the next month", applies=_APPLIES
    ),
)
