"""One table of all dates of the month rules in use, for every month.

A rule is a day of the month or the n-th weekday of it; a plan follows one rule or
two. A term's date is then the entry k places after the plan's first one.
Days are counted from 1970-01-01, months from year 0.
"""

from dataclasses import dataclass

import polars as pl

LAST_DAY = 31
WEEK = 7
FIFTH = 5
_OVERFLOW = 32
"""Code of a rule by day: the day, plus this if a day the month lacks goes to the next one."""
_BY_WEEK = 64
"""Code of a rule by weekday: this, plus 7 for each week after the first, plus the weekday from 0."""
_VARIANTS = {"LAST": 0, "SKIP": 35, "NEXT": 70}
_RADIX = 256
_MONTHS_ROOM, _DAYS_ROOM = 1 << 18, 1 << 22
_DAYS_BEFORE = 1 << 20
"""Added to day numbers, so that those before 1970 pack as well."""


def month_number(day: pl.Expr) -> pl.Expr:
    """Return the month counted from year 0, so that adding months is adding integers."""
    return day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64) - 1


def on_day(month: pl.Expr, day: pl.Expr, overflows: pl.Expr) -> pl.Expr:
    """Return the date of `day` in `month`; the last day where the month lacks it, or the first of the next."""
    start = pl.date(month // 12, month % 12 + 1, 1)
    last = start.dt.days_in_month().cast(pl.Int64)
    # Days after the first: to the last day at most, or one further.
    offset = pl.min_horizontal(day - 1, last - 1 + overflows.cast(pl.Int64))
    return start + pl.duration(days=offset)


def rule_codes(plans: pl.DataFrame) -> pl.Series:
    """Return one integer per plan that names its one or two rules of the month; 0 for plans counted in days.

    Args:
        plans: Day, weekday and week columns, `first_due_date`, `pattern`, `dates_a_month`,
            `short_month` and `fifth_week`.
    """
    has_second = pl.col("dates_a_month") > 1
    codes = pl.when(pl.col("dates_a_month") > 0).then(
        _code("first") * _RADIX + pl.when(has_second).then(_code("second")).otherwise(0)
    )
    return plans.select(codes.fill_null(0).alias("rule")).to_series()


def overflows(stated_day: pl.Expr) -> pl.Expr:
    """Tell whether a day that a month lacks goes to the next month; a stated 31 means the last day and does not."""
    short = pl.col("short_month")
    means_last = stated_day.fill_null(0) == LAST_DAY
    return (short == "OVERFLOW_31") | ((short == "OVERFLOW") & ~means_last)


def _code(which: str) -> pl.Expr:
    stated = pl.col(f"{which}_day")
    day = stated.fill_null(pl.col("first_due_date").dt.day().cast(pl.Int64)) if which == "first" else stated
    by_day = day + overflows(stated).cast(pl.Int64) * _OVERFLOW
    week = pl.col(f"{which}_week")
    variant = pl.col("fifth_week").replace_strict(_VARIANTS, return_dtype=pl.Int64)
    by_week = _BY_WEEK + (week - 1) * WEEK + pl.col(f"{which}_weekday") - 1 + (week == FIFTH).cast(pl.Int64) * variant
    return pl.when(pl.col("pattern") == "WEEKDAY").then(by_week).otherwise(by_day)


@dataclass(frozen=True, slots=True)
class Slots:
    """Every date of every rule (or pair of rules) in use, by rule, month and day, after one unused entry."""

    keys: pl.Series
    days: pl.Series

    @classmethod
    def of(cls, rules: pl.Series, first_month: int, months: pl.Series) -> "Slots":
        """Lay out the dates of the codes `rules` for `months` months each from `first_month` on."""
        in_use = pl.DataFrame({"rule": rules, "months": months}).filter(pl.col("rule") > 0)
        each = in_use.group_by("rule").agg(pl.col("months").max()).sort("rule")
        rows = each.with_columns(month=pl.int_ranges(first_month, first_month + pl.col("months"))).explode("month")
        codes = (pl.col("rule") // _RADIX, pl.col("rule") % _RADIX)
        every = pl.concat([rows.with_columns(code=code).filter(pl.col("code") > 0) for code in codes])
        # Rule, month and day in one number each: sorted, the dates of a rule follow one another, and a search finds a place.
        packed = _with_days(every).drop_nulls().select(_pack().sort()).to_series()
        keys = pl.concat([pl.Series([_DAYS_BEFORE], dtype=pl.Int64), packed])
        return cls(keys, (keys % _DAYS_ROOM - _DAYS_BEFORE).cast(pl.Int32))

    def first_from(self, plans: pl.DataFrame) -> pl.Series:
        """Return for each `rule`, `month`, `day` the place of the rule's first date in this month or later, from the day on."""
        return self.keys.search_sorted(plans.select(_pack()).to_series()).cast(pl.Int64)


def _pack() -> pl.Expr:
    in_front = pl.col("rule") * _MONTHS_ROOM + pl.col("month")
    return in_front * _DAYS_ROOM + pl.col("day").cast(pl.Int64) + _DAYS_BEFORE


def _with_days(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rule`, `month` and `day`, the day number of `code` in the month; null where the rule skips the month."""
    is_by_week = rows["code"] >= _BY_WEEK
    by_day, by_week = rows.filter(~is_by_week), rows.filter(is_by_week)
    is_overflow = pl.col("code") > _OVERFLOW
    days = [by_day.with_columns(date=on_day(pl.col("month"), pl.col("code") % _OVERFLOW, is_overflow))]
    if by_week.height:  # hardly any rule is one, and working out none costs as much as a few
        days.append(by_week.with_columns(date=_on_weekday(by_week)))
    return pl.concat(days).select("rule", "month", day=pl.col("date").cast(pl.Int32).cast(pl.Int64))


def _on_weekday(rows: pl.DataFrame) -> pl.Series:
    place, start, weekday = pl.col("place"), pl.col("start"), pl.col("weekday")
    fourth_weeks = (FIFTH - 1) * WEEK
    is_fifth = place >= fourth_weeks
    variant = (place - fourth_weeks) // WEEK * WEEK
    week = pl.when(is_fifth).then(FIFTH).otherwise(place // WEEK + 1)
    # Days from the 1st to the first such weekday, and a week more for each week after the first.
    ahead = (place % WEEK + 1 - start.dt.weekday().cast(pl.Int64)) % WEEK + (week - 1) * WEEK
    stays = (weekday.dt.month() == start.dt.month()) | (is_fifth & (variant == _VARIANTS["NEXT"]))
    falls_back = is_fifth & (variant == _VARIANTS["LAST"])
    placed = rows.select(
        place=pl.col("code") - _BY_WEEK, start=pl.date(pl.col("month") // 12, pl.col("month") % 12 + 1, 1)
    )
    found = placed.with_columns(weekday=start + pl.duration(days=ahead))
    return found.select(
        pl.when(stays).then(weekday).when(falls_back).then(weekday - pl.duration(days=WEEK))
    ).to_series()
