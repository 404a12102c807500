"""The numbers by which a provider's own people know an account, beside its ids."""

import polars as pl

_WHO = ("provider", "tenant_id")


def with_references(rows: pl.DataFrame, accounts: pl.DataFrame, plans: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return `rows`, in their order, with the `reference` of the account each names.

    Args:
        rows: `provider, tenant_id, account_id`; with `plans` also `plan_id`.
        accounts: `ACCOUNTS`.
        plans: Plans with their own `reference`; it stands in where a row names a plan and no account.
    """
    own = accounts.select(*_WHO, "account_id", "reference")
    named = rows.drop("reference", strict=False).join(
        own, on=[*_WHO, "account_id"], how="left", maintain_order="left", validate="m:1"
    )
    if plans is None:
        return named.select(rows.columns if "reference" in rows.columns else named.columns)
    of_plan = plans.select(*_WHO, "plan_id", pl.col("reference").alias("_of_plan"))
    whole = named.join(of_plan, on=[*_WHO, "plan_id"], how="left", maintain_order="left", validate="m:1")
    return whole.with_columns(
        reference=pl.when(pl.col("account_id").is_null()).then("_of_plan").otherwise("reference")
    ).select(rows.columns)
