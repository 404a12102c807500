"""How plans moved between delinquency buckets from an earlier date to the as-of date: the transition matrix.

Both ends are told with the same knowledge, so a payment that became known late moves no plan. One row of the matrix, of
plans that were 1 to 30 days past due:

    to            0    31-60  PAID_OFF   in all
    opening    1200      500       300     2000
    rates: worse buckets 500 / 2000 = 25 %, current or paid off 1500 / 2000 = 75 %
"""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from schemas.core import WHO
from schemas.results import ROLL
from schemas.words import PAID_OFF
from transforms.outlook.shares import share_ppm
from transforms.positions import VANISHED

MONTH = timedelta(days=30)
"""How long before the as-of date the older of the two earlier dates lies, or longer."""
NEW, CANCELLED = "NEW", "CANCELLED"
PLAN = (*WHO, "plan_id")
STANDING = (*PLAN, "currency", "is_in_force", "bucket", "bucket_no", "outstanding_minor")
"""What has to be known of a plan on the earlier date."""
_ROW = (*WHO, "currency", "from_as_of", "from_bucket")


def earlier_dates(published: Sequence[date], as_of: date) -> list[date]:
    """Return the dates that plans are followed from: the newest published before `as_of`, and the newest a month before."""
    before = [
        max((day for day in published if day <= last), default=None) for last in (as_of - timedelta(1), as_of - MONTH)
    ]
    return sorted({day for day in before if day is not None})


def roll(earlier: pl.DataFrame, plans: pl.DataFrame, *, from_as_of: date) -> pl.DataFrame:
    """Return `ROLL` from one earlier date: where its plans in force are now, and the plans that came into force since.

    Each plan in force on the earlier date is in exactly one row. It is PAID_OFF where all its terms are satisfied,
    VANISHED where its provider no longer shows it, CANCELLED where it is not in force for any other reason, a newer
    plan in its place included; else in its bucket. Plans in force that were not so on the earlier date are in rows from
    NEW, with what they owe now. Rates are of the row: to worse buckets, and to the first bucket or PAID_OFF; null in
    rows from NEW, from no bucket, and by money where nothing was owed.

    Args:
        earlier: `STANDING` of every plan that existed on the earlier date, as known now.
        plans: `PLAN_POSITIONS`.
        from_as_of: The earlier date.
    """
    was = earlier.filter("is_in_force").select(
        *PLAN, "currency", from_bucket="bucket", from_bucket_no="bucket_no", opening_minor="outstanding_minor"
    )
    now = plans.select(
        *PLAN,
        "is_in_force",
        to_bucket=_to_bucket(),
        to_bucket_no=pl.when(_to_bucket() == pl.col("bucket")).then("bucket_no"),
        now_in="currency",
        now_minor="outstanding_minor",
    )
    # A plan that is not told of any more is one its provider no longer shows.
    followed = was.join(now, on=PLAN, how="left", validate="1:1").with_columns(pl.col("to_bucket").fill_null(VANISHED))
    came = now.filter("is_in_force").join(was, on=PLAN, how="anti").select(
        *PLAN,
        "to_bucket",
        "to_bucket_no",
        currency="now_in",
        opening_minor="now_minor",
        from_bucket=pl.lit(NEW),
        from_bucket_no=pl.lit(None, dtype=pl.Int64),
    )  # fmt: skip
    counted = (
        pl.concat([followed.select(came.columns), came])
        .with_columns(from_as_of=pl.lit(from_as_of))
        .group_by(*_ROW, "from_bucket_no", "to_bucket", "to_bucket_no")
        .agg(plans=pl.len().cast(pl.Int64), opening_minor=pl.col("opening_minor").sum())
    )
    return ROLL.gate(_with_rates(counted).select(ROLL.columns).sort(ROLL.key))


def _to_bucket() -> pl.Expr:
    is_gone = pl.col("flags").str.contains(rf"\b{VANISHED}\b")
    return (
        pl.when((pl.col("outcome") == "KEPT") | (pl.col("status") == "FINISHED"))
        .then(pl.lit(PAID_OFF))
        .when("is_in_force")
        .then("bucket")
        .when(is_gone)
        .then(pl.lit(VANISHED))
        .otherwise(pl.lit(CANCELLED))
    )


def _with_rates(counted: pl.DataFrame) -> pl.DataFrame:
    is_worse = pl.col("to_bucket_no") > pl.col("from_bucket_no")
    is_cured = (pl.col("to_bucket_no") == 0) | (pl.col("to_bucket") == PAID_OFF)
    has_rates = (pl.col("from_bucket") != NEW) & pl.col("from_bucket_no").is_not_null()
    weights = {"count": "plans", "amount": "opening_minor"}
    rates = counted.group_by(_ROW).agg(
        _rate(which, weight).alias(f"{name}_{unit}_ppm")
        for name, which in (("roll_rate", is_worse), ("cure_rate", is_cured))
        for unit, weight in weights.items()
    )
    shown = counted.join(rates, on=_ROW, how="left", validate="m:1")
    return shown.with_columns(pl.when(has_rates).then(pl.col("^(roll|cure)_rate_.*$")))


def _rate(which: pl.Expr, weight: str) -> pl.Expr:
    return share_ppm(pl.when(which.fill_null(value=False)).then(weight).otherwise(0).sum(), pl.col(weight).sum())
