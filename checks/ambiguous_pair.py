"""A term could be either of two that the plan's own rules give, or the other way round.

Means:  which term is which is not known, so neither its day nor its amount is judged; nothing was guessed.
Causes: dates moved by hand until a term lies midway between two others; terms of one amount close together.
Action: look at the plan's terms beside its rules and correct the ones that were moved; the break then goes, or
        becomes one that says what differs.
"""

import polars as pl

from checks.base import Check
from checks.compared import CODE, IN_FORCE, SAID, named
from checks.wording import day
from schemas.schedules import DIFFERENCES

CHECK = Check(
    code="AMBIGUOUS_PAIR",
    narrowed=pl.col("reason"),
    severity="low",
    over=DIFFERENCES,
    prepare=named,
    applies=IN_FORCE,
    when=CODE == "AMBIGUOUS_PAIR",
    expected=day(pl.col("expected_due_date")),
    actual=day(pl.col("due_date")),
    explanation=SAID,
    needs=("plans", "terms"),
)
