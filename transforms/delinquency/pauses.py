"""When plans are paused: the days that do not count as past due, and the plans to be left alone on a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.core import PAUSES
from schemas.options import Options
from transforms.balances.settlement import total_of
from transforms.delinquency.counting import count_days
from transforms.segments import number_of


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses of plans, both `PAUSES`: those whose days do not count, and all of them, which flag their plans."""

    stopping: pl.DataFrame
    listed: pl.DataFrame

    def flagged(self, as_of: date) -> pl.Series:
        """Return the plan_no of every plan that is paused on the day."""
        lasts = (pl.col("pause_start") <= as_of) & (pl.col("pause_end") > as_of).fill_null(value=True)
        return self.listed.filter(lasts)["plan_no"].unique().sort()


NO_PAUSES = Pauses(PAUSES.empty(), PAUSES.empty())


def paused_days(
    pauses: pl.DataFrame, plans: pl.DataFrame, since: pl.Series, until: pl.Series, *, options: Mapping[str, Options]
) -> pl.Series:
    """Return per plan the days in (`since`, `until`] that lie in a pause, in the plan's day basis.

    Args:
        pauses: `PAUSES`: half-open, the end day counts again; one without an end lasts. Overlapping
            pauses count once; pauses of other plans are left out.
        plans: `plan_no` in ascending order and `provider`.
        since: Day after which counting starts, per plan; null counts nothing.
        until: Last day counted, per plan.
        options: `Options` by provider.
    """
    plan = number_of(plans["plan_no"], pauses["plan_no"])
    lasting = pl.col("pause_end").fill_null(date.max)
    numbered = pauses.with_columns(plan.alias("plan"), pause_end=lasting)
    of_plans = numbered.filter(plan.is_not_null()).sort("plan", "pause_start")
    # Each pause starts at the earliest where the pauses of its plan before it end, so that no day counts twice.
    apart = of_plans.with_columns(
        pause_start=pl.max_horizontal("pause_start", pl.col("pause_end").cum_max().shift(1).over("plan")),
        since=since.gather(of_plans["plan"]),
        until=until.gather(of_plans["plan"]),
    )
    inside = apart.select(
        "plan",
        after=pl.max_horizontal(pl.col("pause_start").dt.offset_by("-1d"), "since"),
        last=pl.min_horizontal(pl.col("pause_end").dt.offset_by("-1d"), "until"),
        is_counted=pl.col("since").is_not_null(),
    ).filter("is_counted")
    # Days are counted by the calendar of the plan's provider.
    provider = plans["provider"].gather(inside["plan"])
    days = count_days(provider, inside["after"], inside["last"], options=options)
    return total_of(inside.with_columns(days.alias("days")), "days", plans.height)
