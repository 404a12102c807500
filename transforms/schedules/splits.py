"""The number of terms of a plan, and the amount of each.

The amounts of a plan always add up to its total; the convention says which terms get
the minor units that do not divide evenly.
"""

import polars as pl

_COUNT, _TOTAL, _EACH = pl.col("term_count"), pl.col("total_minor"), pl.col("term_amount_minor")


def term_count() -> pl.Expr:
    """Return the number of terms of plans that do not list their own.

    Number-based plans state it. Amount-based ones need as many as it takes, never a term of
    zero; where their total is not known the provider's count stands in.
    """
    as_many_as_needed = (_TOTAL + _EACH - 1) // _EACH
    by_amount = pl.when(_TOTAL.is_null()).then(_COUNT).otherwise(as_many_as_needed)
    return pl.when(pl.col("arrangement") == "AMOUNT").then(by_amount).otherwise(_COUNT)


def shares(plans: pl.DataFrame) -> pl.DataFrame:
    """Return per plan `each`, and what the first and the last term and the first `spread` terms get on top.

    All in minor units; null where the total is not known.

    Args:
        plans: `arrangement, total_minor, term_amount_minor, remainder`, and `count` above 0.
    """
    by_number = pl.col("arrangement") == "NUMBER"
    part = _TOTAL // pl.col("count")
    each = pl.when(_TOTAL.is_not_null()).then(pl.when(by_number).then(part).otherwise(_EACH))
    rest = (_TOTAL - each * pl.col("count")).alias("rest")
    framed = plans.select("remainder", each.alias("each"), rest, by_number.alias("by_number"))

    def where(remainder: str) -> pl.Expr:
        return pl.when(pl.col("by_number") & (pl.col("remainder") == remainder)).then(pl.col("rest")).otherwise(0)

    return framed.select(
        "each",
        on_first=where("FIRST"),
        on_last=pl.when(pl.col("by_number")).then(where("LAST")).otherwise(pl.col("rest").fill_null(0)),
        spread=where("SPREAD"),
    )


def spread_amounts(plans: pl.DataFrame, owner: pl.Series, ordinal: pl.Series, first: pl.Series) -> pl.Series:
    """Return the amount of every term in minor units; null where the plan's total is not known.

    Args:
        plans: As for `shares`, without plans of no terms.
        owner: The plan of each term, by row of `plans`.
        ordinal: Its place within the plan, from 0.
        first: The row of each plan's first term.
    """
    parts = shares(plans)
    amounts = parts["each"].gather(owner)
    if (parts["spread"] > 0).any():
        # SPREAD: one minor unit more for each of the plan's first terms.
        amounts += (ordinal < parts["spread"].gather(owner)).cast(pl.Int64)
    amounts = _add_at(amounts, first, parts["on_first"])
    return _add_at(amounts, first + plans["count"] - 1, parts["on_last"])


def _add_at(amounts: pl.Series, rows: pl.Series, extra: pl.Series) -> pl.Series:
    has_extra = (extra != 0).fill_null(value=False)
    if not has_extra.any():
        return amounts
    at = rows.filter(has_extra)
    # Read, added to and put back at the same rows.
    return amounts.scatter(at, amounts.gather(at) + extra.filter(has_extra))
