"""The terms of a plan do not add up to the invoices or cases that it covers.

Means:  following the terms to the end pays more or less than the debt the plan was made for.
Causes: an invoice added to the plan, or taken off, after the terms were made; a credit that came later; terms edited
        by hand.
Action: compare the accounts that name the plan with its terms, and have the terms or the links corrected. A plan for
        what was left after money received, credited or written off before it was made is right too, and no break;
        money of that very day counts on either side.
"""

import polars as pl

from checks.base import Check, Frames, frame
from checks.links import RECEIVED, booked
from checks.wording import money, sentence, with_code
from schemas.results import PLAN_POSITIONS

PAYABLE = pl.col("amount_minor") - pl.col("waived_minor")
LINKED = pl.col("linked_total_minor")
LEFT = LINKED - pl.col("before_minor")
SETTLES = (*RECEIVED, "credit", "written_off")
"""Classes of booked money that leave less of an invoice to make a plan for."""


def with_early_money(frames: Frames) -> pl.DataFrame:
    """Return the plans with `before_minor` and `same_day_minor`.

    That is what settled on the plan's accounts before the day it was made, and on it; only looked up where the sums
    differ, else 0.
    """
    plans = frame(frames, "plan_positions")
    early = _early(frames, plans.filter(pl.col("is_in_force") & (LINKED != PAYABLE)))
    whole = plans.join(early, on="plan_no", how="left", validate="1:1")
    return whole.with_columns(pl.col("before_minor", "same_day_minor").fill_null(0))


def _early(frames: Frames, plans: pl.DataFrame) -> pl.DataFrame:
    """Return, per plan, what settled on the accounts it covers before the day it was made, and on that day."""
    rows = booked(frames, plans).filter(pl.col("class").is_in(SETTLES))
    paid, made = pl.col("effective_date"), pl.col("created_on")
    return rows.group_by("plan_no").agg(
        before_minor=pl.col("kept_minor").filter(paid < made).sum(),
        same_day_minor=pl.col("kept_minor").filter(paid == made).sum(),
    )


CHECK = Check(
    code="POLICY_VIOLATION",
    reason="INVOICE_TOTAL",
    severity="medium",
    over=PLAN_POSITIONS,
    prepare=with_early_money,
    whole=True,
    applies=pl.col("is_in_force") & LINKED.is_not_null(),
    when=(LINKED != PAYABLE) & (LEFT != PAYABLE) & (LEFT - pl.col("same_day_minor") != PAYABLE),
    expected=money(LINKED),
    actual=money(PAYABLE),
    difference_minor=PAYABLE - LINKED,
    explanation=sentence(
        "Plan {}: its terms add up to {}, the accounts it covers ({}) to {}: a difference of {}.",
        pl.col("plan_id"),
        with_code(PAYABLE),
        pl.col("linked_accounts"),
        with_code(LINKED),
        with_code(PAYABLE - LINKED),
    ),
    needs=("plans", "terms", "accounts"),
)
