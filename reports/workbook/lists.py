"""The day's work as sheets: the plans of each list, whole, those with the most money at risk first."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from reports.before import PLAN, Before, newly_missed
from reports.listed import ORDER, amount_of, stands_on
from reports.workbook.sheets import Sheet
from schemas.reports import REPORTS
from schemas.words import NEWLY_MISSED, WORK_LIST_MEANINGS

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


def on_a_list(plans: pl.DataFrame, before: Before | None) -> pl.DataFrame:
    """Return what the lists show of those arranged plans that stand on one; newly missed since `before` is one of them."""
    lists = pl.col("work_lists")
    if before is not None:
        missed = newly_missed(plans, before).select(*PLAN, is_newly_missed=pl.lit(value=True))
        plans = plans.join(missed, on=PLAN, how="left", validate="1:1", maintain_order="left")
        newly = pl.when("is_newly_missed").then(pl.lit(NEWLY_MISSED))
        lists = pl.concat_str(pl.when(lists != "").then(lists), newly, separator=";", ignore_nulls=True)
    return plans.with_columns(work_lists=lists).filter(pl.col("work_lists") != "").select(_LIST.names)


def list_sheets(plans: pl.DataFrame, compared_with: str) -> Iterator[Sheet]:
    """Yield a sheet for each list, of plans as `on_a_list` returns them.

    `compared_with` is the date of the run that newly missed ones are told by; the list is left out where it is empty.
    """
    columns = {column.name: column for column in _LIST.columns}
    shown = ["plan_id", "provider", "tenant_id", *_SHOWN.split()[1:]]
    meanings = {**WORK_LIST_MEANINGS, NEWLY_MISSED: f"more missed terms than on {compared_with}"}
    for word in (word for word in ORDER if compared_with or word != NEWLY_MISSED):
        order = {"currency": False, amount_of(word).removesuffix("_minor"): True, **dict.fromkeys(_LIST.key, False)}
        rows = plans.filter(stands_on(word)).sort([*order], descending=[*order.values()])
        sums = rows.group_by("currency").agg(pl.col(_SUMMED).cast(pl.Int128).sum())
        yield Sheet(
            name=list_name(word),
            grain=f"Plans: {meanings[word]}",
            report=_LIST,
            columns=[columns[name] for name in shown],
            rows=rows.head(MOST_ROWS),
            total=rows.height,
            frozen=1,
            is_list=True,
            sums={code: dict(zip(_SUMMED, amounts, strict=True)) for code, *amounts in sums.iter_rows()},
            rest="plans.csv, by its column work_lists",
        )
