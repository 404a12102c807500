"""Days on which a plan's delinquency does not count."""

from collections.abc import Mapping

import polars as pl

from schemas.rules import Rules
from transforms.counting import count_days
from transforms.segments import number_of
from transforms.settlement import total_of


def paused_days(
    pauses: pl.DataFrame, plans: pl.DataFrame, since: pl.Series, until: pl.Series, *, rules: Mapping[str, Rules]
) -> pl.Series:
    """Return per plan the days in (`since`, `until`] that lie in a pause, in the plan's day basis.

    Args:
        pauses: `plan_no, start, end`: half-open, the end day counts again. Overlapping pauses
            count once; pauses of other plans are left out.
        plans: `plan_no` in ascending order and `provider`.
        since: Day after which counting starts, per plan; null counts nothing.
        until: Last day counted, per plan.
        rules: Options per provider.
    """
    plan = number_of(plans["plan_no"], pauses["plan_no"])
    known = pauses.with_columns(plan.alias("plan")).filter(plan.is_not_null()).sort("plan", "start")
    apart = known.with_columns(
        start=pl.max_horizontal("start", pl.col("end").cum_max().shift(1).over("plan")),
        since=since.gather(known["plan"]),
        until=until.gather(known["plan"]),
    )
    inside = apart.select(
        "plan",
        after=pl.max_horizontal(pl.col("start").dt.offset_by("-1d"), "since"),
        last=pl.min_horizontal(pl.col("end").dt.offset_by("-1d"), "until"),
        is_counted=pl.col("since").is_not_null(),
    ).filter("is_counted")
    provider = plans["provider"].gather(inside["plan"])
    days = count_days(provider, inside["after"], inside["last"], rules=rules)
    return total_of(inside.with_columns(days.alias("days")), "days", plans.height)
