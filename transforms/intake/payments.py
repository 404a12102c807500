"""Decide about payments: what each paid, and how much of it went back."""

import polars as pl

from transforms.intake.faults import (
    UNKNOWN_CURRENCY,
    Fault,
    SortedRows,
    faulty,
    missing,
    sort_out,
    unreadable,
    with_minor,
    with_places,
)


def sorted_payments(payments: pl.DataFrame, parts: pl.DataFrame) -> SortedRows:
    """Return the payments, each accepted or with the reasons why not.

    The amount is the sum of the payment's parts where it has any. Of a reversed payment the whole amount went back,
    or what its parts say.
    A row that `takes_back` is itself the money that went back: nothing of it is reversed, and it may be below zero.
    """
    rows, refused = with_minor(with_places(payments), "amount")
    rows, bad_parts = _with_parts(rows, parts)
    rows = rows.with_columns(
        pl.coalesce("parts_minor", "amount_minor").alias("amount_minor"), pl.col("class").fill_null("unknown")
    ).with_columns(money_minor=pl.col("amount_minor"))
    is_back = pl.col("class").is_in(["reversed", "partly_reversed"]) & ~pl.col("takes_back").fill_null(value=False)
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
        Fault("NEGATIVE", "reversal", "is less than zero", is_back & (pl.col("reversal_minor") < 0)),
    ]
    reasons = pl.concat([unreadable(rows), refused, bad_parts, faulty(rows, rules)])
    whole = pl.when(pl.col("class") == "reversed").then("amount_minor")
    back = pl.when("is_reversal_given").then(pl.col("reversal_minor").fill_null(0)).otherwise(whole)
    rows = rows.with_columns(
        pl.when(is_back).then("reversed_on").alias("reversed_on"),
        pl.when(is_back).then(back).alias("reversed_amount_minor"),
        pl.min_horizontal(pl.col("fees_units").fill_null(0), "amount_minor").clip(lower_bound=0).alias("fees_minor"),
        is_reversal_amount_known=(pl.col("class") != "partly_reversed") | pl.col("is_reversal_given"),
    )
    return sort_out(rows, reasons, entity="payments", key="payment_id")


def _with_parts(rows: pl.DataFrame, parts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows with the sums of their parts and of what was reversed of these, null where there are no parts.

    `is_reversal_given`: a part of the payment, on whatever account, says how much went back.
    """
    if parts.is_empty():
        none, no = pl.lit(None, pl.Int64), pl.lit(value=False)
        plain = rows.with_columns(parts_minor=none, reversal_minor=none, is_reversal_given=no)
        return plain, faulty(rows, [])
    where = ["page_no", "position", "share"]
    listed = rows.filter(pl.col("is_listed").fill_null(value=True)).select(*where, "row", "places", "is_repeat")
    placed, refused = with_minor(parts.join(listed, on=where, how="inner"), "amount", "reversal")
    sums = placed.group_by("row").agg(
        parts_minor=pl.when(pl.col("amount_minor").count() > 0).then(pl.col("amount_minor").sum()),
        reversal_minor=pl.col("reversal_minor").sum(),
    )
    # A provider that states no reversal writes zero.
    given = parts.filter(pl.col("reversal").str.contains("[1-9]")).select("page_no", "position").unique()
    joined = rows.join(sums, on="row", how="left", maintain_order="left").join(
        given.with_columns(is_reversal_given=pl.lit(value=True)),
        on=["page_no", "position"],
        how="left",
        maintain_order="left",
    )
    return joined.with_columns(pl.col("is_reversal_given").fill_null(value=False)), refused
