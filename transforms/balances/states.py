"""The one state of each term, and how late it is.

First match wins, in the order of `schemas.words.STATES`.
"""

from datetime import date

import polars as pl

from schemas.words import STATES


def term_states(terms: pl.DataFrame, grace: pl.Series, *, as_of: date) -> pl.DataFrame:
    """Return `state`, `state_number` and `days_late` of each term, same rows in the same order.

    `days_late` counts from the due date to satisfaction, else to the as-of date; null for a
    term that no longer counts, and for a satisfied one whose day is unknown.

    Args:
        terms: `counts, is_replaced, amount_minor, waived_minor, received_minor, due_date, is_satisfied,
            satisfied_on, judged_on`. `judged_on` is set wherever the term is satisfied.
        grace: Days of grace of each term.
        as_of: Civil date whose end is described.
    """
    # Day numbers and state numbers: words and dates cost ten times as much to compare.
    now = pl.lit(as_of).cast(pl.Int32)
    due = pl.col("due_date").cast(pl.Int32)
    by = pl.when("is_satisfied").then(pl.col("satisfied_on").cast(pl.Int32)).otherwise(now)
    days_late = pl.when("counts").then((by - due).clip(lower_bound=0)).cast(pl.Int64)
    paid_after = pl.col("judged_on").cast(pl.Int32) - due
    number = _number_of(now - due, paid_after, pl.lit(grace)).cast(pl.UInt32)
    judged = terms.select(state_number=number, days_late=days_late)
    return judged.with_columns(pl.Series("state", STATES).gather(judged["state_number"]))


def _number_of(late: pl.Expr, paid_after: pl.Expr, grace: pl.Expr) -> pl.Expr:
    has_money = pl.col("received_minor") > 0
    return (
        pl.when(~pl.col("counts"))
        .then(_either(pl.col("is_replaced"), "SUPERSEDED", "VOID"))
        # A term of zero was never owed: it is satisfied, not waived.
        .when((pl.col("waived_minor") == pl.col("amount_minor")) & (pl.col("amount_minor") > 0))
        .then(_number("WAIVED"))
        .when("is_satisfied")
        .then(_paid(paid_after, grace))
        .when(late < 0)
        .then(_either(has_money, "PREPAID_PART", "NOT_DUE"))
        .when(late == 0)
        .then(_number("DUE_TODAY"))
        .when(late <= grace)
        .then(_number("IN_GRACE"))
        .otherwise(_either(has_money, "PARTIAL_OVERDUE", "MISSED"))
    )


def _paid(paid_after: pl.Expr, grace: pl.Expr) -> pl.Expr:
    on_time = _either(paid_after <= grace, "PAID_ON_TIME", "PAID_LATE")
    return pl.when(paid_after < 0).then(_number("PAID_EARLY")).otherwise(on_time)


def _either(condition: pl.Expr, state: str, other: str) -> pl.Expr:
    return pl.when(condition).then(_number(state)).otherwise(_number(other))


def _number(state: str) -> pl.Expr:
    return pl.lit(STATES.index(state), dtype=pl.UInt8)
