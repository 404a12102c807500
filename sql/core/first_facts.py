"""Carry over from the stored version what a provider tells once: the end of a plan, the day money went back."""

import polars as pl

from sql.core.loads import Load


def with_first_facts_of_plans(rows: pl.DataFrame, stored: pl.DataFrame, load: Load) -> pl.DataFrame:
    """Return the rows with the stored end and deletion of a plan, where the provider does not repeat them.

    The end is the earliest day on which a version since the plan was last active was changed to inactive;
    plans whose provider dates the end itself have none. A deletion holds until a later change.
    """
    was = stored.select(
        "plan_no",
        *(pl.col(name).alias(f"{name}_was") for name in ("is_active", "ended_on", "inactive_at", "deleted_on")),
    )
    both = rows.join(was, on="plan_no", how="left", maintain_order="left")
    is_over = ~pl.col("is_active") & (pl.col("basis") == "PAYMENTS")
    changed_on = pl.coalesce("updated_on", pl.lit(load.fetched_on))
    first_end = (
        pl.when(~pl.col("is_active_was")).then(pl.min_horizontal("ended_on_was", changed_on)).otherwise(changed_on)
    )
    was_over = ~pl.col("is_active_was") & (pl.col("ended_on_was") <= changed_on)
    inactive_at = pl.when(was_over).then("inactive_at_was").otherwise("updated_at")
    still_deleted = pl.when((pl.col("updated_on") <= pl.col("deleted_on_was")) | pl.col("updated_on").is_null()).then(
        "deleted_on_was"
    )
    return both.with_columns(
        ended_on=pl.when(is_over).then(first_end),
        inactive_at=pl.when(is_over).then(inactive_at),
        deleted_on=pl.coalesce("deletion", still_deleted),
        removed_on=pl.lit(None, pl.Date),
    )


def with_first_facts_of_payments(rows: pl.DataFrame, stored: pl.DataFrame, load: Load) -> pl.DataFrame:
    """Return the rows with the stored day a payment was first seen, and the day its money was first seen to go back.

    A payment dated only by its last change counts from its earliest version. A reversal
    without a date of its own happened on the day of the fetch that first showed it;
    for a payment never seen before, on the payment's own date.
    """
    carried = ("created_on", "class", "reversed_on")
    was = stored.select("payment_no", *(pl.col(name).alias(f"{name}_was") for name in carried))
    both = rows.join(was, on="payment_no", how="left", maintain_order="left")
    first_sight = pl.min_horizontal("created_on", "created_on_was")
    is_same = pl.col("class") == pl.col("class_was")
    seen = pl.when(pl.col("class_was").is_null()).then("effective_date").otherwise(pl.lit(load.fetched_on))
    own = pl.when(~(pl.col("is_first_sight") & is_same.fill_null(value=False))).then("reversed_on")
    went_back = pl.coalesce(own, pl.when(is_same).then("reversed_on_was"), "reversed_on", seen)
    return both.with_columns(
        created_on=pl.when("is_first_sight").then(first_sight).otherwise("created_on"),
        reversed_on=pl.when(pl.col("reversed_amount_minor").is_not_null()).then(went_back),
        reversed_at=pl.when(went_back == pl.col("reversed_on")).then("reversed_at"),
    )
