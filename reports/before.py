"""What a run is compared with: the newest published run of an earlier date, and how the days before it went.

Given to this room by its caller; only what was published and known at the run's own moment is in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from schemas.core import WHO

PLAN = (*WHO, "plan_id")
MOST_POINTS = 30
"""Dates in one line of small charts, the run itself included."""


@dataclass(frozen=True, slots=True)
class Before:
    """The run of date `as_of`.

    `missed` has `provider, tenant_id, plan_id, missed_terms` of the plans it showed missed terms of. `days` has the
    newest published run of each date up to `as_of`, oldest first: the date, and its summary as `summary.json` tells it.
    `kept` (`as_of, currency, window_days, evaluated, kept`) and `roll` (`as_of, currency, from_as_of, from_bucket_no,
    to_bucket, to_bucket_no, plans`) are rows of the reports of these runs.
    """

    as_of: date
    missed: pl.DataFrame
    days: tuple[tuple[date, Mapping[str, Any]], ...] = ()
    kept: pl.DataFrame | None = None
    roll: pl.DataFrame | None = None


def newly_missed(plans: pl.DataFrame, before: Before) -> pl.DataFrame:
    """Return the plans in force with more missed terms than the run before showed, in the order of `plans`."""
    was = before.missed.select(*PLAN, was_missed="missed_terms")
    now = plans.join(was, on=PLAN, how="left", validate="1:1", maintain_order="left")
    more = pl.col("missed_terms") > pl.col("was_missed").fill_null(0)
    return now.filter("is_in_force", more).drop("was_missed")
