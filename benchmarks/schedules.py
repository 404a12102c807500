"""Schedules made again and paired, all plans at once, beside dateutil's rule per plan in the same run."""

import random
import time
from datetime import date, timedelta
from typing import Any

import polars as pl
from dateutil.rrule import MONTHLY, WEEKLY, rrule

from schemas.conventions import Conventions
from schemas.schedules import PLAN_RULES
from transforms.calendars.closed_days import Calendar
from transforms.conformance.pairing import comparable, pair
from transforms.schedules.regenerate import regenerate

SAMPLE = 5_000
"""Plans given to dateutil: it takes them one by one."""


def rules(plans: int, seed: int = 7) -> pl.DataFrame:
    """Return seeded monthly and weekly plans of 3 to 21 terms."""
    draw = random.Random(seed)
    empty = dict.fromkeys(PLAN_RULES.columns)
    start = date(2025, 1, 1)
    rows: list[dict[str, Any]] = []
    for number in range(plans):
        count, monthly = draw.randint(3, 21), draw.random() < 0.7
        rows.append(
            empty
            | {
                "plan_no": number,
                "convention_set": "p",
                "calendar": "US",
                "currency": "USD",
                "arrangement": "NUMBER",
                "frequency": "MONTHLY" if monthly else "WEEKLY",
                "pattern": "DAY",
                "first_due_date": start + timedelta(days=draw.randrange(365)),
                "term_count": count,
                "total_minor": count * draw.randint(1_000, 90_000) + draw.randrange(count),
                "weekend_shift": draw.choice((0, 1, 2)),
                "holiday_shift": draw.choice((0, 1)),
            }
        )
    return pl.DataFrame(rows, schema=dict(PLAN_RULES.dtypes))


def bench(plans: int) -> list[tuple[str, str]]:
    """Return lines of the table: plans per CPU second for regeneration, pairing and dateutil."""
    made_from = rules(plans)
    means: dict[str, Any] = {"conventions": {"p": Conventions()}, "calendars": {"US": Calendar("US")}}
    regenerate(made_from.head(100), **means)  # calendars are built once
    began = time.process_time()
    made = regenerate(made_from, **means)
    regenerated = time.process_time() - began
    shown = made.terms.select(
        "plan_no",
        "expected_due_date",
        term_no="sequence",
        due_date="expected_due_date",
        amount_minor="expected_amount_minor",
    )
    # one plan in fifty is a day off on its second term
    moved = (pl.col("plan_no") % 50 == 0) & (pl.col("term_no") == 2)
    day = pl.col("due_date")
    shown = shown.with_columns(due_date=pl.when(moved).then(day.dt.offset_by("1d")).otherwise(day))
    began = time.process_time()
    pairs = pair(shown, made.terms, comparable(made_from, made.missing))
    paired = time.process_time() - began
    off = pairs.filter(pl.col("difference_days") != 0).height
    began = time.process_time()
    peer = sum(len(_by_rule(row)) for row in made_from.head(SAMPLE).iter_rows(named=True))
    by_rule = (time.process_time() - began) * plans / SAMPLE
    size = f"{plans:,} plans, {made.terms.height:,} terms"
    return [
        (f"regenerate, {size}", f"{plans / regenerated:,.0f} plans per CPU s"),
        (f"pair, {off:,} terms moved", f"{plans / paired:,.0f} plans per CPU s"),
        (f"dateutil rrule, dates only ({peer:,} terms sampled)", f"{plans / by_rule:,.0f} plans per CPU s"),
        ("regenerate against rrule", f"{by_rule / regenerated:.1f} x"),
    ]


def _by_rule(row: dict[str, Any]) -> list[Any]:
    first, count = row["first_due_date"], row["term_count"]
    if row["frequency"] == "WEEKLY":
        return list(rrule(WEEKLY, dtstart=first, count=count))
    days = range(min(first.day, 28), first.day + 1)  # the last of these days that the month has
    return list(rrule(MONTHLY, dtstart=first, count=count, bymonthday=days, bysetpos=-1))
