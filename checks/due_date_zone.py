"""Every term of a provider falls due one day earlier, or every one a day later, than the plans' own rules give.

Means:  the dates were turned from moments into days in another time zone than the provider's; the schedules
        themselves are probably right.
Causes: a wrong time zone in the settings; a provider that changed the zone it writes in.
Action: compare one date with the provider's own screens, then correct the zone in the settings. The single date
        breaks stay away until then.
"""

import polars as pl

from checks.base import Check
from checks.compared import zones
from checks.wording import sentence
from schemas.schedules import DIFFERENCES

DAYS = pl.col("zone_days")
DIRECTION = pl.when(DAYS > 0).then(pl.lit("later")).otherwise(pl.lit("earlier"))

CHECK = Check(
    code="DUE_DATE_DIFF",
    reason="TIMEZONE",
    side="both",
    severity="high",
    over=DIFFERENCES,
    prepare=zones,
    whole=True,
    applies=pl.lit(value=True),
    when=DAYS.is_not_null(),
    expected=pl.lit("the days that the rules give"),
    actual=pl.format("every term one day {}", DIRECTION),
    difference_days=DAYS,
    explanation=sentence(
        "All {} terms of {} plans fall due one day {} than the plans' rules say: "
        "the time zone in the settings is probably not the provider's.",
        pl.col("terms"),
        pl.col("plans"),
        DIRECTION,
    ),
    needs=("plans", "terms"),
)
