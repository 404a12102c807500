"""A plan's first date, or its first term, lies before the day the plan was made.

Means:  the plan began late: its first terms were past due when it was agreed.
Causes: a date typed wrong, often the year; a plan entered after the fact; a first date that a weekend or holiday
        moved back past the day the plan was made.
Action: check the first date against what was agreed, and have it corrected or the plan made anew.
"""

import polars as pl

from checks.base import Check, Frames, frame
from checks.ruled import ruled
from checks.wording import day, sentence
from schemas.schedules import PLAN_RULES

FIRST, MADE = pl.min_horizontal("first_due_date", "first_term_on"), pl.col("created_on")


def with_first_term(frames: Frames) -> pl.DataFrame:
    """Return the rules of plans that exist, with `first_term_on`: due date of the first term still owed, null without one."""
    terms = frame(frames, "term_positions").lazy().filter(~pl.col("state").is_in(["VOID", "SUPERSEDED"]))
    first = terms.group_by("plan_no").agg(first_term_on=pl.col("due_date").min()).collect()
    return ruled(frames).join(first, on="plan_no", how="left", validate="1:1")


CHECK = Check(
    code="POLICY_VIOLATION",
    reason="FIRST_DATE_BEFORE_CREATION",
    severity="medium",
    over=PLAN_RULES,
    prepare=with_first_term,
    applies=pl.col("is_in_force") & FIRST.is_not_null(),
    when=FIRST < MADE,
    expected=pl.format("{} or later", day(MADE)),
    actual=day(FIRST),
    difference_days=(FIRST - MADE).dt.total_days(),
    explanation=sentence(
        "Plan {}: its first date is {}, but it was made on {} only.", pl.col("plan_id"), day(FIRST), day(MADE)
    ),
    needs=("plans",),
)
