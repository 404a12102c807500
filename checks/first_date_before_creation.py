"""A plan's first date lies before the day the plan was made.

Means:  the plan began late: its first terms were past due when it was agreed.
Causes: a date typed wrong, often the year; a plan entered after the fact.
Action: check the first date against what was agreed, and have it corrected or the plan made anew.
"""

import polars as pl

from checks.base import Check, Severity
from checks.ruled import ruled
from checks.wording import day, sentence
from schemas.schedules import PLAN_RULES

FIRST, MADE = pl.col("first_due_date"), pl.col("created_on")

CHECK = Check(
    code="POLICY_VIOLATION",
    reason="FIRST_DATE_BEFORE_CREATION",
    severity=Severity.MEDIUM,
    over=PLAN_RULES,
    prepare=ruled,
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
