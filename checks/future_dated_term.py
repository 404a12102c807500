"""A term's payment date lies after the day on which it was told.

Means:  the term counts as open in full until that date, although the provider calls it paid.
Causes: a year or month typed wrong; day and month swapped.
Action: have the date corrected at the provider.
"""

import polars as pl

from checks.base import Check
from checks.wording import day, sentence
from schemas.results import TERM_POSITIONS

PAID, TOLD = pl.col("provider_paid_on"), pl.col("told_on")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="FUTURE_DATED",
    severity="medium",
    over=TERM_POSITIONS,
    applies=PAID.is_not_null() & TOLD.is_not_null() & ~pl.col("state").is_in(["VOID", "SUPERSEDED"]),
    when=PAID > TOLD,
    expected=pl.format("{} or earlier", day(TOLD)),
    actual=day(PAID),
    difference_days=(PAID - TOLD).dt.total_days(),
    explanation=sentence(
        "Plan {}, term {} due on {}: the provider says it was paid on {}, after {}, the day it was read.",
        pl.col("plan_id"),
        pl.col("term_no"),
        day(pl.col("due_date")),
        day(PAID),
        day(TOLD),
    ),
    needs=("terms",),
)
