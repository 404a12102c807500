"""A debtor has two active plans with the same terms, and no debt of its own stands behind one of them.

Means:  the customer is asked for the same money twice. Where invoices or cases name one of the plans, the break stands
        on the others; where they name none, on every plan but the newest. Equal plans that each have an account which
        names them are two debts, and no break. Where payments are ours to assign, two plans of one account are
        reported as TWO_ACTIVE_PLANS whatever their terms.
Causes: a create that the network delivered twice; a plan made again because its answer was lost.
Action: compare both at the provider, and end the one that nothing stands behind.
"""

import polars as pl

from checks.base import Check, Frames, frame
from checks.wording import sentence, with_code
from schemas.core import WHO
from schemas.results import PLAN_POSITIONS

DEBTOR = (*WHO, "customer_id", "currency")


def plans_alike(plans: pl.DataFrame) -> pl.Series:
    """Return the `plan_no` of active plans whose debtor has several: whose terms the check has to see side by side."""
    mine = plans.filter(pl.col("is_active") & (pl.col("basis") == "PROVIDER_BALANCE") & _HAS_DEBTOR)
    return mine.filter(pl.len().over(DEBTOR) > 1)["plan_no"]


def with_twin(frames: Frames) -> pl.DataFrame:
    """Return the plans with `twin_plan_id`: the plan of the same debtor and terms that stands beside one too many."""
    plans = frame(frames, "plan_positions")
    active = plans.filter((pl.col("status") == "ACTIVE") & (pl.col("basis") == "PROVIDER_BALANCE") & _HAS_DEBTOR)
    named = frame(frames, "accounts").filter(pl.col("removed_on").is_null())["active_plan_no"].drop_nulls()
    alike = (
        active.join(_written(frames), on="plan_no", how="inner", validate="1:1")
        .with_columns(is_named=pl.col("plan_no").is_in(named.implode()))
        .sort("is_named", "created_on", "plan_id")
    )
    same = (*DEBTOR, "written")
    kept = alike.with_columns(
        # Of equal plans those that an account names are kept, or the last one if none is named.
        is_kept=pl.col("is_named") | (~pl.col("is_named").any().over(same) & _is_last().over(same)),
        twin_plan_id=pl.col("plan_id").last().over(same),
    )
    extra = kept.filter(~pl.col("is_kept")).select("plan_no", "twin_plan_id")
    return plans.join(extra, on="plan_no", how="left", validate="1:1")


def _written(frames: Frames) -> pl.DataFrame:
    """Return each plan's terms as one text, equal where days and amounts are."""
    line = pl.format("{} {}", pl.col("due_date"), pl.col("amount_minor"))
    return (
        frame(frames, "term_positions")
        .select("plan_no", line=line)
        .sort("plan_no", "line")
        .group_by("plan_no", maintain_order=True)
        .agg(written=pl.col("line").str.join("; "))
    )


def _is_last() -> pl.Expr:
    return pl.int_range(pl.len()) == pl.len() - 1


_HAS_DEBTOR = pl.col("customer_id").is_not_null()

CHECK = Check(
    code="POLICY_VIOLATION",
    reason="EQUAL_PLANS",
    severity="high",
    over=PLAN_POSITIONS,
    prepare=with_twin,
    whole=True,
    applies=(pl.col("status") == "ACTIVE") & (pl.col("basis") == "PROVIDER_BALANCE"),
    when=pl.col("twin_plan_id").is_not_null(),
    expected=pl.lit("1 plan"),
    actual=pl.lit("2 equal plans"),
    explanation=sentence(
        "Plan {} of {} has the same debtor and the same {} terms as plan {}: both are active, and nothing of its own stands behind it.",
        pl.col("plan_id"),
        with_code(pl.col("amount_minor")),
        pl.col("terms"),
        pl.col("twin_plan_id"),
    ),
    needs=("plans", "terms", "accounts"),
)
