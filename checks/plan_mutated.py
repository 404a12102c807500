"""A term is not what it was when its plan was agreed.

Means:  the customer is asked for another amount, or on another day, than was agreed; or a term came or went.
Causes: terms edited by hand; a schedule made again after a payment; a correction nobody told us of.
Action: ask the provider whether the customer agreed. If so, accept the break: the term stays as it is now.
"""

import polars as pl

from checks.base import Check, Frames, frame, has_happened
from checks.wording import day, money, sentence
from schemas.core import WHO
from schemas.results import TERM_POSITIONS

WAS, NOW = pl.col("was_due_date"), pl.col("now_due_date")
WAS_MINOR, NOW_MINOR = pl.col("was_amount_minor"), pl.col("now_amount_minor")


def with_changes(frames: Frames) -> pl.DataFrame:
    """Return the terms with what was agreed and what is shown now; empty where nothing changed by the as-of date.

    A term that came has nothing that was agreed, one that went nothing now. `is_in_force` is that of the plan: when a
    plan ends its provider takes terms away.
    """
    in_force = frame(frames, "plan_positions").filter("is_in_force")["plan_no"]
    terms = frame(frames, "term_positions").select("plan_no", *WHO, "plan_id", "term_id", "term_no", "currency")
    judged = terms.with_columns(is_in_force=pl.col("plan_no").is_in(in_force.implode()))
    changes = frame(frames, "term_changes")
    if changes.is_empty():  # most portfolios on most days, and their terms are many
        return judged.with_columns(pl.lit(None, dtype=changes.schema[name]).alias(name) for name in changes.columns[2:])
    return judged.join(changes, on=["plan_no", "term_id"], how="left", validate="1:1")


def _told(on: pl.Expr, minor: pl.Expr, otherwise: str) -> pl.Expr:
    return pl.when(on.is_not_null()).then(pl.format("{} on {}", money(minor), day(on))).otherwise(pl.lit(otherwise))


CHECK = Check(
    code="PLAN_MUTATED",
    severity="medium",
    over=TERM_POSITIONS,
    prepare=with_changes,
    applies=pl.col("is_in_force"),
    when=has_happened(pl.col("changed_on")),
    expected=_told(WAS, WAS_MINOR, "no such term"),
    actual=_told(NOW, NOW_MINOR, "no such term"),
    difference_minor=NOW_MINOR.fill_null(0) - WAS_MINOR.fill_null(0),
    difference_days=(NOW - WAS).dt.total_days(),
    explanation=sentence(
        "Plan {}, term {}: agreed was {}, since {} the provider shows {}.",
        pl.col("plan_id"),
        pl.col("term_no"),
        _told(WAS, WAS_MINOR, "no such term"),
        day(pl.col("changed_on")),
        _told(NOW, NOW_MINOR, "no such term"),
    ),
    needs=("plans", "terms"),
)
