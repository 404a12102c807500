"""Group breaks that have one probable cause into one line.

For example "212 of 230 due-date differences on 2026-07-03: the holiday is not avoided as agreed". Breaks of one code and reason are grouped by the day they are about, else by the week
their plans were created in. Every break is in exactly one group.
"""

import polars as pl

from schemas.core import WHO
from schemas.schedules import CLUSTERS
from transforms.conformance.changes import causes

LEAST = 2
"""Fewest breaks that make a group of one day."""

_WEEK_SHARE = 2
"""A creation week is a cause if at least one in this many of the remaining breaks has it."""

_KEY = (*WHO, "code", "reason")

NAMES = {
    "DUE_DATE_DIFF": "due-date differences",
    "AMOUNT_DIFF": "amount differences",
    "TERM_MISSING": "missing terms",
    "TERM_EXTRA": "extra terms",
    "AMBIGUOUS_PAIR": "unclear pairs",
}
"""What a clerk calls the breaks of a code; other codes are named as they are."""

OTHER_CAUSES = {
    "TIMEZONE": "every date is off by one day",
    "ROUNDING": "amounts are rounded in another way",
    "UNEXPLAINED": "no cause found",
}
"""Causes that are found without changing a convention."""


def clusters(breaks: pl.DataFrame) -> pl.DataFrame:
    """Return the groups, the largest first.

    A day with at least two breaks of one code and reason is a group; of the others a creation
    week with at least half of them; what is left is one group without day or week.

    Args:
        breaks: One row per break: `provider, tenant_id, code, reason`, `calendar_date` (what the
            reason is about, null if nothing) and `created_on` (of the plan, null if unknown).

    Returns:
        `CLUSTERS`; per provider, tenant and code the breaks of all groups add up to `of_breaks`.
    """
    if breaks.is_empty():
        return CLUSTERS.empty()
    week = pl.col("created_on").dt.truncate("1w")
    rows = breaks.select(*_KEY, "calendar_date", created_week=week)
    by_day = _groups(rows, "calendar_date").filter(pl.col("breaks") >= LEAST)
    rest = rows.join(by_day, on=[*_KEY, "calendar_date"], how="anti", nulls_equal=True)
    sizes = rest.group_by(_KEY).agg(of_rest=pl.len())
    by_week = (
        _groups(rest, "created_week")
        .join(sizes, on=_KEY, validate="m:1")
        .filter((pl.col("breaks") >= LEAST) & (pl.col("breaks") * _WEEK_SHARE >= pl.col("of_rest")))
    )
    others = rest.join(by_week, on=[*_KEY, "created_week"], how="anti", nulls_equal=True)
    alone = others.group_by(_KEY).agg(breaks=pl.len())
    groups = pl.concat([by_day, by_week.drop("of_rest"), alone], how="diagonal_relaxed")
    return _described(groups, breaks)


def _groups(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    return rows.filter(pl.col(column).is_not_null()).group_by(*_KEY, column).agg(breaks=pl.len())


def _described(groups: pl.DataFrame, breaks: pl.DataFrame) -> pl.DataFrame:
    totals = breaks.group_by(*WHO, "code").agg(of_breaks=pl.len().cast(pl.Int64))
    filled = pl.concat(
        [CLUSTERS.empty().select(*_KEY, "calendar_date", "created_week", "breaks"), groups], how="diagonal_relaxed"
    )
    whole = filled.join(totals, on=[*WHO, "code"], validate="m:1").with_columns(pl.col("breaks").cast(pl.Int64))
    known = causes() | OTHER_CAUSES
    words = {reason: _cause(reason, known) for reason in whole["reason"].unique()}
    told = whole.with_columns(explanation=_sentence(words))
    order = ["breaks", *_KEY, "calendar_date", "created_week"]
    return told.select(CLUSTERS.columns).sort(order, descending=[True] + [False] * (len(order) - 1), nulls_last=True)


def _cause(reason: str, known: dict[str, str]) -> str:
    ties = [" and ".join(known.get(part, part) for part in tie.split("+")) for tie in reason.split("|")]
    return ": " + ", or ".join(ties) if reason else ""


def _sentence(words: dict[str, str]) -> pl.Expr:
    day = pl.col("calendar_date").dt.to_string("%Y-%m-%d")
    week = pl.col("created_week").dt.to_string("%Y-%m-%d")
    where = (
        pl.when(day.is_not_null())
        .then(pl.concat_str(pl.lit(" on "), day))
        .when(week.is_not_null())
        .then(pl.concat_str(pl.lit(" in plans created in the week of "), week))
        .otherwise(pl.lit(""))
    )
    return pl.concat_str(
        pl.col("breaks").cast(pl.String),
        pl.lit(" of "),
        pl.col("of_breaks").cast(pl.String),
        pl.lit(" "),
        pl.col("code").replace(NAMES),
        where,
        pl.col("reason").replace_strict(words, return_dtype=pl.String),
    )
