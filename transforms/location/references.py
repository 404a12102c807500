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
    told = _told(rows, accounts, "account_id")
    if plans is not None:
        of_plan = _told(rows, plans, "plan_id")
        told = pl.select(pl.when(rows["account_id"].is_null()).then(of_plan).otherwise(told)).to_series()
    return rows.with_columns(
        told.alias("reference")
    )  # the other columns are those of `rows` and take no room of their own


def _told(rows: pl.DataFrame, known: pl.DataFrame, name: str) -> pl.Series:
    """Return for each row the reference of what it names; null for what it does not name, or nobody knows."""
    key = [*_WHO, name]
    own = known.select(*key, "reference")
    return rows.select(key).join(own, on=key, how="left", maintain_order="left", validate="m:1")["reference"]
