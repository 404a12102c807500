"""Derive the terms of a plan that gives a rule instead of terms: one payment a month until the balance is used up.

For plans that list no terms. This rule has no weekends, holidays or other
frequencies.
"""

import polars as pl

MAX_TERMS = 1200
"""A hundred years of months; a plan that needs more is a fault of its figures, not a plan."""


def count_terms(total: pl.Expr, each: pl.Expr) -> pl.Expr:
    """Return how many payments of `each` use up `total`, the last one possibly smaller.

    Null unless both are there and `each` is positive; 0 for a total of 0 or less.
    """
    whole = (total.clip(0) + each - 1) // each
    return pl.when(each > 0).then(whole)


def monthly_terms(plans: pl.DataFrame) -> pl.DataFrame:
    """Return every term of monthly plans, in the order of `plans`, then by date.

    A term falls on the anchor day of its month, or on the month's last day where
    the month is shorter. The first is the first such day on or after the start;
    dates are always counted from the anchor, so a short month moves no later term.
    Every term is the payment amount, the last one the rest.

    Args:
        plans: `plan_id`, `starts_on`, `anchor_day` (1 to 31), `total_minor` (at least 0),
            `each_minor` (above 0); no nulls.

    Returns:
        `plan_id`, `term_id` (`<plan_id>-001` upward, at least three digits), `term_sequence`
        from 1, `due_date`, `amount_minor`. A plan with a total of 0 has no terms.

    Invariant: the amounts of a plan add up to its total.
    """
    first = plans.with_columns(
        count=count_terms(pl.col("total_minor"), pl.col("each_minor")), month=_month(pl.col("starts_on"))
    )
    # Where the anchor day of the first month lies before the start, the plan begins a month later.
    late = _on_anchor(pl.col("month"), pl.col("anchor_day")) < pl.col("starts_on")
    each = first.with_columns(month=pl.col("month") + late.cast(pl.Int64)).filter(pl.col("count") > 0)
    rows = each.with_columns(term_sequence=pl.int_ranges(1, pl.col("count") + 1)).explode("term_sequence")
    rest = pl.col("total_minor") - pl.col("each_minor") * (pl.col("count") - 1)
    return rows.select(
        "plan_id",
        pl.concat_str("plan_id", pl.lit("-"), pl.col("term_sequence").cast(pl.String).str.zfill(3)).alias("term_id"),
        "term_sequence",
        _on_anchor(pl.col("month") + pl.col("term_sequence") - 1, pl.col("anchor_day")).alias("due_date"),
        pl.when(pl.col("term_sequence") == pl.col("count"))
        .then(rest)
        .otherwise(pl.col("each_minor"))
        .alias("amount_minor"),
    )


def _month(day: pl.Expr) -> pl.Expr:
    """Return the month counted from year 0, so that adding months is adding integers."""
    return day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64) - 1


def _on_anchor(month: pl.Expr, anchor_day: pl.Expr) -> pl.Expr:
    start = pl.date(month // 12, month % 12 + 1, 1)
    last = start.dt.month_end().dt.day().cast(pl.Int64)
    return start + pl.duration(days=pl.min_horizontal(anchor_day, last) - 1)
