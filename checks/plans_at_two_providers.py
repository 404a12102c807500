"""One person, or one invoice, has plans in force at two providers.

Means:  the same debt may be collected twice, or the person pays two plans at once. The break stands on each of the
        plans; nothing is taken off any figure. Who is the same is told by your own file of customers
        (`run.customers_file`); without it nothing is compared.
Causes: a debt handed from one provider to another while the plan at the first goes on; an invoice given to both.
Action: find out which plan is to run, and end the other; where both are right, accept the break.
"""

import polars as pl

from checks.base import Check, Frames, frame
from checks.links import covered_accounts
from checks.wording import sentence
from schemas.core import WHO
from schemas.results import PLAN_POSITIONS


def with_other_plans(frames: Frames) -> pl.DataFrame:
    """Return plans in force with `customer`, null where the file names none, and `others`: plans at other providers.

    A plan of several customers is one of the first that has others, by name; `others` lists provider and plan.
    """
    plans = frame(frames, "plan_positions").filter("is_in_force")
    owned = owned_plans(frames, plans)
    named = owned.join(plans.select("plan_no", "provider", "plan_id"), on="plan_no", how="inner", validate="m:1")
    pairs = named.join(named, on="customer", how="inner", suffix="_other").filter(
        pl.col("provider") != pl.col("provider_other")
    )
    told = pl.format("{} plan {}", pl.col("provider_other"), pl.col("plan_id_other"))
    others = pairs.group_by("plan_no", "customer").agg(
        others=told.unique().sort().str.join(", "), providers=pl.col("provider_other").unique().sort().str.join(", ")
    )
    # The customer with other plans first: a plan is told of once.
    first = (
        owned.join(others, on=["plan_no", "customer"], how="left", validate="1:1")
        .sort("plan_no", pl.col("others").is_null(), "customer")
        .unique("plan_no", keep="first", maintain_order=True)
    )
    return plans.join(first, on="plan_no", how="left", validate="1:1", maintain_order="left")


def owned_plans(frames: Frames, plans: pl.DataFrame) -> pl.DataFrame:
    """Return `plan_no` and `customer`, each pair once, by the customer or by any account of the plan."""
    given = frame(frames, "own_customers").rename({"tenant_id": "of_tenant"})
    if given.is_empty():
        return pl.DataFrame(schema={"plan_no": pl.Int64, "customer": given.schema["customer"]})
    own = plans.select("plan_no", *WHO, "customer_id")
    covered = pl.concat(
        [
            covered_accounts({**frames, "plan_positions": plans}).select("plan_no", *WHO, "account_id"),
            plans.filter(pl.col("account_id").is_not_null()).select("plan_no", *WHO, "account_id"),
        ]
    )
    is_meant = pl.col("of_tenant").is_null() | (pl.col("of_tenant") == pl.col("tenant_id"))
    found = [
        rows.join(given.filter(pl.col(name).is_not_null()), on=["provider", name], how="inner")
        .filter(is_meant)
        .select("plan_no", "customer")
        for rows, name in ((own, "customer_id"), (covered, "account_id"))
    ]
    return pl.concat(found).unique().sort("plan_no", "customer")


CHECK = Check(
    code="POLICY_VIOLATION",
    reason="PLANS_AT_TWO_PROVIDERS",
    severity="high",
    over=PLAN_POSITIONS,
    prepare=with_other_plans,
    whole=True,
    applies=pl.col("customer").is_not_null(),
    when=pl.col("others").is_not_null(),
    expected=pl.lit("plans at 1 provider"),
    actual=pl.format("plans at {}, {}", pl.col("provider"), pl.col("providers")),
    explanation=sentence(
        "Customer {} has plan {} in force here and at another provider: {}.",
        pl.col("customer"),
        pl.col("plan_id"),
        pl.col("others"),
    ),
    needs=("plans", "accounts"),
)
