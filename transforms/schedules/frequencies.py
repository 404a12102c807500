"""How often a term falls due: a number of days, or one or two dates of the month.

A new frequency is one more line of `FREQUENCIES`; a step counts days, a pattern
names how many dates a month has.
"""

from dataclasses import dataclass

import polars as pl

from schemas.seeds import numbers


@dataclass(frozen=True, slots=True)
class Frequency:
    """Either `step` days between terms (0: as many as the plan says), or `dates_a_month`; `period_days` is a rough length."""

    step: int | None = None
    dates_a_month: int = 0
    period_days: int | None = None


FREQUENCIES = {
    "DAYS": Frequency(step=0),
    "WEEKLY": Frequency(step=7, period_days=7),
    "BIWEEKLY": Frequency(step=14, period_days=14),
    "SEMIMONTHLY": Frequency(dates_a_month=2, period_days=15),
    "MONTHLY": Frequency(dates_a_month=1, period_days=30),
}


def step_days() -> pl.Expr:
    """Return the days from one term to the next, 0 for plans that follow the month."""
    steps = {name: each.step for name, each in FREQUENCIES.items() if each.step}
    fixed = pl.col("frequency").replace_strict(steps, default=0, return_dtype=pl.Int64)
    return pl.when(pl.col("frequency") == "DAYS").then(pl.col("days_in_period")).otherwise(fixed)


def dates_a_month() -> pl.Expr:
    """Return how many dates a month the plan has, 0 for plans counted in days."""
    counts = {name: each.dates_a_month for name, each in FREQUENCIES.items()}
    return pl.col("frequency").replace_strict(counts, default=0, return_dtype=pl.Int64)


def reach_days() -> pl.Expr:
    """Return how many days two terms of one amount may lie apart and still be the same term: half a period.

    It is `same_term_days` of `windows.csv` at most, and where a plan lists its own terms, which have no period.
    """
    periods = {name: each.period_days for name, each in FREQUENCIES.items() if each.period_days}
    fixed = pl.col("frequency").replace_strict(periods, default=None, return_dtype=pl.Int64)
    period = pl.when(pl.col("frequency") == "DAYS").then(pl.col("days_in_period")).otherwise(fixed)
    half = pl.when(pl.col("arrangement") != "CUSTOM").then(period // 2)
    most = pl.lit(numbers("windows")["same_term_days"], dtype=pl.Int64)
    return pl.min_horizontal(half.fill_null(most), most)
