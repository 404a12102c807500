"""What plans in force owe, by currency and delinquency bucket."""

from collections.abc import Mapping

import polars as pl

from schemas.rules import Rules
from transforms.buckets import NOT_MONTHLY, bucket_set
from transforms.options import providers_of


def aging(plan_positions: pl.DataFrame, *, rules: Mapping[str, Rules]) -> pl.DataFrame:
    """Return one row per provider, tenant, currency and bucket that holds a plan in force.

    Columns `provider, tenant_id, currency, bucket, plans, terms, amount_due_minor, overdue_minor,
    outstanding_minor`; `terms` counts unsatisfied terms due by the as-of date. Sorted by the first
    three and the order of the bucket set. Sums over buckets are the totals, to the cent.

    Args:
        plan_positions: `PLAN_POSITIONS`, or any part of them.
        rules: Options per provider.
    """
    rank = [
        {"provider": name, "bucket": label, "_rank": number}
        for name in providers_of(plan_positions, rules)
        for number, label in enumerate((*bucket_set(rules[name].bucket_set).labels, NOT_MONTHLY))
    ]
    order = pl.DataFrame(rank, schema={"provider": pl.String(), "bucket": pl.String(), "_rank": pl.Int64()})
    return (
        plan_positions.filter("is_in_force")
        .group_by("provider", "tenant_id", "currency", "bucket")
        .agg(
            pl.len().cast(pl.Int64).alias("plans"),
            pl.col("open_terms_due").sum().alias("terms"),
            pl.col("amount_due_minor", "overdue_minor", "outstanding_minor").sum(),
        )
        .join(order, on=["provider", "bucket"], how="left", validate="m:1")
        .sort("provider", "tenant_id", "currency", "_rank")
        .drop("_rank")
    )
