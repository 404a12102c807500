"""The one state of each term, and how late it is.

First match wins, in the order of `schemas.columns.STATES`.
"""

from datetime import date

import polars as pl

from schemas.columns import STATES


def term_states(terms: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Return `state` and `days_late` of each term, same rows in the same order.

    `days_late` counts from the due date to satisfaction, else to the as-of date; null for a
    term that no longer counts, and for a satisfied one whose day is unknown.

    Args:
        terms: `void, amount_minor, waived_minor, received_minor, due_date, is_satisfied,
            satisfied_on, judged_on, grace`. `judged_on` is set wherever the term is satisfied.
        as_of: Civil date whose end is described.
    """
    # Day numbers and state numbers: words and dates cost ten times as much to compare.
    now = pl.lit(as_of).cast(pl.Int32)
    due = pl.col("due_date").cast(pl.Int32)
    late = now - due
    by = pl.when("is_satisfied").then(pl.col("satisfied_on").cast(pl.Int32)).otherwise(now)
    days_late = pl.when(pl.col("void").is_null()).then((by - due).clip(lower_bound=0)).cast(pl.Int64)
    paid_after = pl.col("judged_on").cast(pl.Int32) - due
    judged = terms.select(code=_code(late, paid_after), days_late=days_late)
    return pl.DataFrame([pl.Series("state", STATES).gather(judged["code"]), judged["days_late"]])


def _code(late: pl.Expr, paid_after: pl.Expr) -> pl.Expr:
    is_void = pl.col("void").is_not_null()
    void = pl.when(pl.col("void") == "VOID").then(_number("VOID")).otherwise(_number("SUPERSEDED"))
    has_money = pl.col("received_minor") > 0
    return (
        pl.when(is_void)
        .then(void)
        .when(pl.col("waived_minor") == pl.col("amount_minor"))
        .then(_number("WAIVED"))
        .when("is_satisfied")
        .then(_paid(paid_after))
        .when(late < 0)
        .then(_either(has_money, "PREPAID_PART", "NOT_DUE"))
        .when(late == 0)
        .then(_number("DUE_TODAY"))
        .when(late <= pl.col("grace"))
        .then(_number("IN_GRACE"))
        .otherwise(_either(has_money, "PARTIAL_OVERDUE", "MISSED"))
    )


def _paid(paid_after: pl.Expr) -> pl.Expr:
    on_time = _either(paid_after <= pl.col("grace"), "PAID_ON_TIME", "PAID_LATE")
    return pl.when(paid_after < 0).then(_number("PAID_EARLY")).otherwise(on_time)


def _either(condition: pl.Expr, state: str, other: str) -> pl.Expr:
    return pl.when(condition).then(_number(state)).otherwise(_number(other))


def _number(state: str) -> pl.Expr:
    return pl.lit(STATES.index(state), dtype=pl.UInt32)
