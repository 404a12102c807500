"""A plan of one id is live in more than one tenant of its provider.

Means:  its money is counted twice. The break stands on every copy but the one that was changed last.
Causes: the plan moved to another administration; the tenant it left lists only what changed, and does not say so.
Action: look in which tenant the plan is; fetch everything again (`planrecon run --full`), which ends the copy that is gone.
"""

import polars as pl

from checks.base import Check, Frames, frame
from checks.wording import sentence
from schemas.results import PLAN_POSITIONS

LIVE = pl.col("is_in_force") & (pl.col("status") != "DELETED")


def with_copies(frames: Frames) -> pl.DataFrame:
    """Return live plans with `copies`, the tenants that show a live plan of the id, and `newest_tenant_id` among them."""
    live = frame(frames, "plan_positions").filter(LIVE)
    several = live.select("provider", "plan_id").is_duplicated()
    if not several.any():
        return live.with_columns(copies=pl.lit(1, dtype=pl.Int64), newest_tenant_id="tenant_id")
    copies = (
        live.sort("updated_on", "created_on", "tenant_id", nulls_last=False)
        .group_by("provider", "plan_id", maintain_order=True)
        .agg(copies=pl.len().cast(pl.Int64), newest_tenant_id=pl.col("tenant_id").last())
    )
    return live.join(copies, on=["provider", "plan_id"], how="left", validate="m:1")


CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="PLAN_IN_TWO_TENANTS",
    severity="high",
    over=PLAN_POSITIONS,
    prepare=with_copies,
    whole=True,
    applies=pl.lit(value=True),
    when=(pl.col("copies") > 1) & (pl.col("tenant_id") != pl.col("newest_tenant_id")),
    expected=pl.lit("live in one tenant"),
    actual=pl.format("live in {}", pl.col("copies")),
    explanation=sentence(
        "Plan {} is live in tenant {} and, changed later, in tenant {}: its money is counted twice.",
        pl.col("plan_id"),
        pl.col("tenant_id"),
        pl.col("newest_tenant_id"),
    ),
    needs=("plans",),
)
