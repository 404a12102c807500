"""Decide about payments: what each paid, and how much of it went back."""

import polars as pl

from transforms.faults import (
    UNKNOWN_CURRENCY,
    Fault,
    SortedRows,
    found,
    missing,
    sort_out,
    unreadable,
    with_minor,
    with_places,
)


def sorted_payments(payments: pl.DataFrame, parts: pl.DataFrame) -> SortedRows:
    """Sort payments; the amount is that of their parts where they have any, the reversed amount what the status says."""
    rows, refused = with_minor(with_places(payments), "amount")
    rows, bad_parts = _with_parts(rows, parts)
    rows = rows.with_columns(
        pl.coalesce("parts_minor", "amount_minor").alias("amount_minor"), pl.col("class").fill_null("unknown")
    ).with_columns(money_minor=pl.col("amount_minor"))
    is_back = pl.col("class").is_in(["reversed", "partly_reversed"])
    rules = [
        UNKNOWN_CURRENCY,
        *missing("payment_id", "effective_date", "created_on"),
        Fault(
            "MISSING_FIELD",
            "amount",
            "is needed and not there",
            pl.col("amount").is_null() & pl.col("amount_units").is_null(),
        ),
        Fault("NEGATIVE", "amount", "is less than zero and was reversed", is_back & (pl.col("amount_minor") < 0)),
    ]
    reasons = pl.concat([unreadable(rows), refused, bad_parts, found(rows, rules)])
    is_partly = pl.col("class") == "partly_reversed"
    given = pl.when(pl.col("reversal_minor") > 0).then("reversal_minor")
    rows = rows.with_columns(
        pl.when(is_back).then("reversed_on").alias("reversed_on"),
        pl.when(pl.col("class") == "reversed")
        .then("amount_minor")
        .when(is_partly)
        .then(given)
        .alias("reversed_amount_minor"),
        is_reversal_amount_known=~(is_partly & given.is_null()),
    )
    return sort_out(rows, reasons, entity="payments", key="payment_id")


def _with_parts(rows: pl.DataFrame, parts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Put the sum of each payment's parts and of what was reversed beside it, null where there are none."""
    if parts.is_empty():
        nothing = pl.lit(None, pl.Int64)
        return rows.with_columns(parts_minor=nothing, reversal_minor=nothing), found(rows, [])
    where = ["page_no", "position", "share"]
    listed = rows.filter(pl.col("is_listed").fill_null(value=True)).select(*where, "row", "places", "is_repeat")
    placed, refused = with_minor(parts.join(listed, on=where, how="inner"), "amount", "reversal")
    sums = placed.group_by("row").agg(
        parts_minor=pl.when(pl.col("amount_minor").count() > 0).then(pl.col("amount_minor").sum()),
        reversal_minor=pl.col("reversal_minor").sum(),
    )
    return rows.join(sums, on="row", how="left", maintain_order="left"), refused
