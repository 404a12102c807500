"""Which lists of the day's work a plan stands on: the same lists in every report, view and page.

What each list is for is said beside its word in `schemas.words`. Who is newly missed depends on the run before and is
no word here.
"""

import polars as pl

from schemas.words import INVOICES_OWE_LESS, PAUSED, WORK_LISTS, WorkList


def work_lists() -> pl.Expr:
    """Return `work_lists` of plans with their figures, flags and `is_in_force`: words joined by `;`, in the order of `WORK_LISTS`."""
    in_force = pl.col("is_in_force")
    has_overdue = pl.col("overdue_minor") > 0
    is_paused, is_not_owed = _flagged(PAUSED), _flagged(INVOICES_OWE_LESS)
    is_chased = in_force & (pl.col("days_past_due") > 0) & ~is_paused & ~is_not_owed
    has_money_coming = pl.col("fresh_pending_minor") > 0
    belongs: dict[WorkList, pl.Expr] = {
        "CALL_TODAY": is_chased & ~has_money_coming,
        "DUE_TODAY": in_force & (pl.col("due_today_minor") > 0),
        "SETTLING": is_chased & has_money_coming,
        "PAUSED": in_force & has_overdue & is_paused,
        "NOT_OWED": in_force & has_overdue & is_not_owed & ~is_paused,
        "ENDED_WITH_MONEY": ~in_force & has_overdue,
    }
    words = (pl.when(belongs[word]).then(pl.lit(word)) for word in WORK_LISTS)
    return pl.concat_str(*words, separator=";", ignore_nulls=True).alias("work_lists")


def _flagged(word: str) -> pl.Expr:
    return pl.col("flags").str.contains(rf"\b{word}\b").fill_null(value=False)
