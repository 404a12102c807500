"""A weekly plan names a weekday that its first date does not fall on.

Means:  the plan's rules say two things; the first date leads, so its weekday is the one that every term is judged
        by.
Causes: a first date moved without the weekday; a weekday counted from Sunday on one side and Monday on the other.
Action: have the weekday or the first date corrected at the provider.
"""

import polars as pl

from checks.base import Check
from checks.ruled import WEEKLY, ruled
from checks.wording import day, sentence
from schemas.schedules import PLAN_RULES

NAMES = {
    1: "Monday",
    2: "Tuesday",
    3: "Wednesday",
    4: "Thursday",
    5: "Friday",
    6: "Saturday",
    7: "Sunday",
}
FIRST, NAMED = pl.col("first_due_date"), pl.col("first_weekday")
FALLS_ON = FIRST.dt.weekday().cast(pl.Int64)


def called(weekday: pl.Expr) -> pl.Expr:
    """Return the weekday's name; the number itself if it is not a weekday."""
    return weekday.replace_strict(NAMES, default=weekday.cast(pl.String), return_dtype=pl.String)


CHECK = Check(
    code="POLICY_VIOLATION",
    reason="WEEKDAY_CONTRADICTS",
    severity="low",
    over=PLAN_RULES,
    prepare=ruled,
    applies=pl.col("is_in_force")
    & pl.col("frequency").is_in(WEEKLY).fill_null(value=False)
    & FIRST.is_not_null()
    & NAMED.is_not_null(),
    when=FALLS_ON != NAMED,
    expected=called(FALLS_ON),
    actual=called(NAMED),
    explanation=sentence(
        "Plan {} is due every {}, but its first date {} is a {}.",
        pl.col("plan_id"),
        called(NAMED),
        day(FIRST),
        called(FALLS_ON),
    ),
    needs=("plans",),
)
