"""Find what a fetch no longer shows: deletions the provider lists, and rows that are absent.

A row is absent only after a sweep that asked for everything and reached the provider's
end. A row that was shown and could not be read is not absent.
"""

import polars as pl

from schemas.intake import Admitted
from sql.core.loads import Load

BY_ACCOUNT = "portfolio"
"""The sweep that asks account by account: it tells nothing of accounts that were not asked for."""


def with_deletion(rows: pl.DataFrame, deletions: pl.DataFrame, *, entity: str, natural: str) -> pl.DataFrame:
    """Return `rows` with `deletion`: the day on which the provider says it deleted the row, null if it does not."""
    if deletions.is_empty() or rows.is_empty():
        return rows.with_columns(deletion=pl.lit(None, pl.Date))
    listed = deletions.filter(pl.col("entity") == entity)
    days = listed.select(pl.col("key").alias(natural), pl.col("deleted_on").alias("deletion"))
    return rows.join(days, on=natural, how="left", maintain_order="left")


def left_out(stored: pl.DataFrame, rows: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """Return the stored rows that the fetch did not bring."""
    return stored.join(rows.select(key), on=key, how="anti", maintain_order="left")


def absent(rest: pl.DataFrame, admitted: Admitted, load: Load, *, entity: str, natural: str) -> pl.DataFrame:
    """Return `rest` (stored rows the fetch did not bring) with `is_absent`: a sweep for everything did not show them."""
    if rest.is_empty():
        return rest.with_columns(is_absent=pl.lit(value=False))
    seen = admitted.seen.filter(pl.col("entity") == entity)
    blind = seen.filter(pl.col("key").is_null())["source"].unique()
    shown = seen.select("source", pl.col("key").alias(natural), is_seen=pl.lit(value=True)).unique()
    # A sweep with a row whose key could not be read is left out: any row could be that one.
    tellings = sorted(load.full_sweeps - set(blind))
    return (
        rest.join(shown, on=["source", natural], how="left", maintain_order="left")
        .with_columns(is_absent=pl.col("is_seen").is_null() & pl.col("source").is_in(tellings))
        .drop("is_seen")
    )


def removed(rest: pl.DataFrame, load: Load) -> pl.DataFrame:
    """Return tombstones of payments, accounts or terms: those deleted or absent that are not removed already."""
    day = pl.coalesce("deletion", pl.when("is_absent").then(load.fetched_on))
    return rest.filter(pl.col("removed_on").is_null() & day.is_not_null()).with_columns(removed_on=day)


def vanished(rest: pl.DataFrame, load: Load) -> pl.DataFrame:
    """Return tombstones of plans: deleted where the provider says so, else removed, unless they are already."""
    is_there = pl.col("deleted_on").is_null() & pl.col("removed_on").is_null()
    is_vanished = pl.col("is_absent") & (pl.col("source") != BY_ACCOUNT)
    return rest.filter(is_there & (pl.col("deletion").is_not_null() | is_vanished)).with_columns(
        deleted_on=pl.col("deletion"),
        removed_on=pl.when(pl.col("deletion").is_null()).then(load.fetched_on),
    )


def ended(rest: pl.DataFrame, load: Load, *, named: pl.Series, asked: pl.Series) -> pl.DataFrame:
    """Return plans known only by the accounts that name them, which none of the accounts asked for names any more.

    `named` lists plans an account still names, `asked` plans with an account that was asked for.
    """
    is_over = pl.col("is_absent") & (pl.col("source") == BY_ACCOUNT) & pl.col("is_active")
    return rest.filter(
        is_over, ~pl.col("plan_no").is_in(named.implode()), pl.col("plan_no").is_in(asked.implode())
    ).with_columns(is_active=pl.lit(value=False), ended_on=pl.lit(load.fetched_on))
