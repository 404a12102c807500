"""The day's work as sheets: the plans of each list, whole, those with the most money at risk first."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from reports.workbook.sheets import Sheet
from schemas.reports import REPORTS
from schemas.words import WORK_LIST_MEANINGS, WORK_LISTS

MOST_ROWS = 1_048_000
"""Rows of a list; Excel takes 1,048,576 with heads and sums."""
_SHOWN = (
    "plan_id customer_id reference currency overdue due_today days_past_due missed_terms "
    "oldest_unpaid_due_date next_due_date next_due_amount pending last_receipt_date outstanding status flags"
)
_LIST = replace(REPORTS["plans"], shown=f"{_SHOWN} work_lists")
_SUMMED = ("overdue", "due_today", "pending", "outstanding")


def list_name(word: str) -> str:
    """Return what a list is called: `Call today` for CALL_TODAY."""
    return word.replace("_", " ").capitalize()


def on_a_list(plans: pl.DataFrame) -> pl.DataFrame:
    """Return what the lists show of those arranged plans that stand on one."""
    return plans.filter(pl.col("work_lists") != "").select(_LIST.names)


def list_sheets(plans: pl.DataFrame) -> Iterator[Sheet]:
    """Yield a sheet for each list, of plans as `on_a_list` returns them."""
    columns = {column.name: column for column in _LIST.columns}
    shown = ["plan_id", "provider", "tenant_id", *_SHOWN.split()[1:]]
    order = {"currency": False, "overdue": True, "due_today": True, **dict.fromkeys(_LIST.key, False)}
    words = plans["work_lists"].str.split(";")
    for word in WORK_LISTS:
        rows = plans.filter(words.list.contains(word)).sort([*order], descending=[*order.values()])
        sums = rows.group_by("currency").agg(pl.col(_SUMMED).cast(pl.Int128).sum())
        yield Sheet(
            name=list_name(word),
            grain=f"Plans: {WORK_LIST_MEANINGS[word]}",
            report=_LIST,
            columns=[columns[name] for name in shown],
            rows=rows.head(MOST_ROWS),
            total=rows.height,
            frozen=1,
            is_list=True,
            sums={code: dict(zip(_SUMMED, amounts, strict=True)) for code, *amounts in sums.iter_rows()},
            rest="plans.csv, by its column work_lists",
        )
