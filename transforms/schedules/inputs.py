"""Find what a plan's rules lack before a schedule can be made of them.

A plan without a needed input gives no break: it is listed with the input's name.
Impossible values (the 40th of a month) count as missing too.
"""

from collections.abc import Mapping
from dataclasses import asdict

import polars as pl

from schemas.conventions import Conventions
from schemas.schedules import ARRANGEMENTS
from schemas.table import sorted_by
from transforms.schedules.derive import MAX_TERMS
from transforms.schedules.frequencies import FREQUENCIES, dates_a_month, step_days
from transforms.schedules.patterns import FIFTH, LAST_DAY, WEEK
from transforms.schedules.shifts import MOST_DAYS
from transforms.schedules.splits import term_count

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Plans that begin outside these years are faults of their first date."""

MOST_STEP = 366
"""Days from one term to the next, at most."""


class MissingConventionsError(ValueError):
    """A plan names a set of conventions that was not given."""

    def __init__(self, names: list[str]) -> None:
        """Say which."""
        super().__init__(f"no conventions were given for {', '.join(names)}; add them to the conventions of this call")


def prepare(rules: pl.DataFrame, custom: pl.DataFrame, conventions: Mapping[str, Conventions]) -> pl.DataFrame:
    """Return `rules` by plan with each plan's conventions, `count`, `step`, `dates_a_month`, and what is missing.

    `missing_input` is null where a schedule can be made. `count` is the number of terms.

    Raises:
        MissingConventionsError: a plan's set of conventions is not among `conventions`.
    """
    names = set(rules["convention_set"].unique())
    if missing := sorted(names - set(conventions)):
        raise MissingConventionsError(missing)
    sets = [{"convention_set": name} | asdict(conventions[name]) for name in sorted(names)]
    choices = pl.DataFrame(sets, schema=_choices())
    listed = custom.group_by("plan_no").agg(listed=pl.len().cast(pl.Int64))
    ordered = sorted_by(rules, "plan_no")
    whole = ordered.join(choices, on="convention_set", how="left", maintain_order="left", validate="m:1")
    whole = whole.join(listed, on="plan_no", how="left", maintain_order="left", validate="1:1")
    is_custom = pl.col("arrangement") == "CUSTOM"
    counted = whole.with_columns(
        count=pl.when(is_custom).then(pl.col("listed")).otherwise(term_count()),
        step=step_days(),
        dates_a_month=dates_a_month(),
        is_custom=is_custom.fill_null(value=False),
        pattern=pl.col("pattern").fill_null("DAY"),
        calendar=pl.col("calendar").fill_null(""),
    )
    return counted.with_columns(missing_input=pl.coalesce("missing_input", _missing()))


def _choices() -> dict[str, pl.DataType]:
    texts = ("remainder", "short_month", "fifth_week", "shift_order", "shift_mode", "collision")
    flags = ("cascade", "drift")
    return {"convention_set": pl.String(), **dict.fromkeys(texts, pl.String()), **dict.fromkeys(flags, pl.Boolean())}


def _missing() -> pl.Expr:
    """Return the name of the first input a plan lacks."""
    is_custom = pl.col("arrangement") == "CUSTOM"
    by_month = pl.col("dates_a_month") > 0
    twice = pl.col("dates_a_month") > 1
    weekdays = pl.col("pattern") == "WEEKDAY"
    amount = pl.col("arrangement") == "AMOUNT"
    faults: dict[str, pl.Expr] = {
        "arrangement": ~pl.col("arrangement").is_in(list(ARRANGEMENTS)).fill_null(value=False),
        "custom_terms": is_custom & pl.col("listed").is_null(),
        "frequency": ~is_custom & ~pl.col("frequency").is_in(list(FREQUENCIES)).fill_null(value=False),
        "first_due_date": ~is_custom
        & ~pl.col("first_due_date").dt.year().is_between(FIRST_YEAR, LAST_YEAR).fill_null(value=False),
        "days_in_period": (pl.col("frequency") == "DAYS") & ~_within("step", 1, MOST_STEP),
        "first_day": by_month & ~weekdays & pl.col("first_day").is_not_null() & ~_within("first_day", 1, LAST_DAY),
        "second_day": twice & ~weekdays & ~_within("second_day", 1, LAST_DAY),
        "first_week": by_month & weekdays & ~_within("first_week", 1, FIFTH),
        "first_weekday": by_month & weekdays & ~_within("first_weekday", 1, WEEK),
        "second_week": twice & weekdays & ~_within("second_week", 1, FIFTH),
        "second_weekday": twice & weekdays & ~_within("second_weekday", 1, WEEK),
        "weekend_shift": ~_within("weekend_shift", -MOST_DAYS, MOST_DAYS),
        "holiday_shift": ~_within("holiday_shift", -MOST_DAYS, MOST_DAYS),
        "term_amount_minor": amount & ~(pl.col("term_amount_minor") > 0).fill_null(value=False),
        "total_minor": (pl.col("total_minor") < 0) | (amount & pl.col("count").is_null()),
        "term_count": ~amount & ~_within("count", 1, MAX_TERMS) | ~_within("count", 0, MAX_TERMS),
    }
    own = {"arrangement", "custom_terms"}
    steps = [
        pl.when(fault.fill_null(value=False) & (~is_custom.fill_null(value=False) if name not in own else True)).then(
            pl.lit(name)
        )
        for name, fault in faults.items()
    ]
    return pl.coalesce(steps)


def _within(name: str, least: int, most: int) -> pl.Expr:
    return pl.col(name).is_between(least, most).fill_null(value=False)
