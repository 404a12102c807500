"""The money that plans in force still bring in, by how soon it is due, and how much of it usually comes.

Three terms of 100.00 are open, due today, in 5 days and in 12 days, and another 40.00 since last week:

    horizon       0      7     14     30 ... 90
    scheduled   100    100    200    200    200
    arrears      40     40     40     40     40

A horizon looks at the days after the as-of date, up to that many; 0 is the as-of date itself. So each horizon from the
second on holds the one before it, and none holds today's money or the arrears.
"""

from datetime import date, timedelta

import polars as pl

from schemas.results import CASH
from schemas.table import sorted_by
from transforms.outlook.backtest import with_backtest
from transforms.outlook.shares import part_of, share_ppm
from transforms.segments import number_of, numbered

HORIZONS = (0, 7, 14, 30, 60, 90)
"""Days looked ahead."""
LOOKED_BACK = 90
"""Days before the as-of date in which the deadlines lay of the terms that a rate is taken from."""
LEAST_TERMS = 30
"""Terms that must have been evaluated before a tenant's own rate is trusted; below, the currency's rate stands in."""
_WHO = ("provider", "tenant_id", "currency")
_KEPT = ("evaluated", "payable_minor", "paid_minor")
_SUMS = ("scheduled_minor", "pending_covered_minor")


def coming(terms: pl.DataFrame, plans: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Return what the terms of one part bring in, each counted at the first horizon that reaches its due date.

    Columns `provider, tenant_id, currency, horizon_days, scheduled_minor, pending_covered_minor`, one row for each that
    has a term. Fresh pending money covers no more of a term than is open on it.

    Args:
        terms: `TERM_POSITIONS`.
        plans: `PLAN_POSITIONS` of the same plans; those not in force bring nothing.
        as_of: Civil date whose end is described.
    """
    last = as_of + timedelta(days=HORIZONS[-1])
    in_force = sorted_by(plans.filter("is_in_force").select("plan_no", *_WHO), "plan_no")
    who, number = numbered(in_force.select(_WHO))
    is_ahead = pl.col("due_date").is_between(as_of, last) & (pl.col("outstanding_minor") > 0)
    ahead = terms.select("plan_no", "due_date", "outstanding_minor", "fresh_pending_minor").filter(is_ahead)
    # Of whom each term is, by the number of its plan; null for a plan that is not in force.
    numbers = number.gather(number_of(in_force["plan_no"], ahead["plan_no"]))
    sums = (
        ahead.filter(numbers.is_not_null())
        .group_by(numbers.drop_nulls().alias("who"), _first_horizon((pl.col("due_date") - as_of).dt.total_days()))
        .agg(
            scheduled_minor=pl.col("outstanding_minor").sum(),
            pending_covered_minor=pl.min_horizontal("fresh_pending_minor", "outstanding_minor").sum(),
        )
    )
    return pl.concat([who[sums["who"]], sums.drop("who")], how="horizontal")


def _first_horizon(days: pl.Expr) -> pl.Expr:
    reached = pl.lit(None, dtype=pl.Int64)
    for horizon in reversed(HORIZONS):
        reached = pl.when(days <= horizon).then(pl.lit(horizon, dtype=pl.Int64)).otherwise(reached)
    return reached.alias("horizon_days")


def cash(
    scheduled: pl.DataFrame,
    plans: pl.DataFrame,
    kept: pl.DataFrame,
    *,
    forecasts: pl.DataFrame,
    came: pl.DataFrame,
) -> pl.DataFrame:
    """Return `CASH`: a row per horizon of each provider, tenant and currency with a plan in force.

    `risk_adjusted_minor` is what is scheduled times the share of money that came by its deadline in the days looked back:
    of the same provider, tenant and currency (`rate_from` SEGMENT) where at least `LEAST_TERMS` terms were evaluated,
    else of the currency over the whole portfolio (PORTFOLIO); where that has none, no rate (NONE) and no figure. The
    rate is used with the six places that are shown, and each figure is rounded once, half to even.

    Args:
        scheduled: What `coming` returned, of all parts one below the other; no plan is in two of them.
        plans: `PLAN_POSITIONS` of the whole portfolio.
        kept: `provider, tenant_id, currency, evaluated, payable_minor, paid_minor` of the terms whose deadline lay in
            the days looked back, at most one row for each provider, tenant and currency.
        forecasts: `FORECASTS`.
        came: What `backtest.came` returned, likewise.
    """
    arrears = plans.filter("is_in_force").group_by(_WHO).agg(arrears_minor=pl.col("overdue_minor").sum())
    every = arrears.join(pl.DataFrame({"horizon_days": HORIZONS}, schema={"horizon_days": pl.Int64}), how="cross")
    sums = scheduled.group_by(*_WHO, "horizon_days").agg(pl.col(_SUMS).sum())
    at_each = every.join(sums, on=[*_WHO, "horizon_days"], how="left", validate="1:1").with_columns(
        pl.col(_SUMS).fill_null(0)
    )
    rated = _reaching(at_each).join(_rates(arrears, kept), on=_WHO, how="left", validate="m:1")
    adjusted = rated.with_columns(risk_adjusted_minor=part_of(pl.col("scheduled_minor"), pl.col("rate_ppm")))
    return CASH.gate(with_backtest(adjusted, forecasts, came).select(CASH.columns).sort(*_WHO, "horizon_days"))


def _reaching(at_each: pl.DataFrame) -> pl.DataFrame:
    """Return the same rows, each with what the horizons up to it hold; today stays by itself."""
    is_ahead = pl.col("horizon_days") > 0
    running = at_each.filter(is_ahead).sort(*_WHO, "horizon_days").with_columns(pl.col(_SUMS).cum_sum().over(_WHO))
    return pl.concat([at_each.filter(~is_ahead), running])


def _rates(segments: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """Return `rate_ppm`, `rate_from` and `rate_terms` of each provider, tenant and currency of `segments`."""
    portfolio = kept.group_by("currency").agg(pl.col(_KEPT).sum().name.suffix("_all"))
    both = (
        segments.select(_WHO)
        .join(kept.select(*_WHO, *_KEPT), on=_WHO, how="left", validate="1:1")
        .join(portfolio, on="currency", how="left", validate="m:1")
        .with_columns(
            own=share_ppm(pl.col("paid_minor"), pl.col("payable_minor")),
            other=share_ppm(pl.col("paid_minor_all"), pl.col("payable_minor_all")),
        )
    )
    is_own = (pl.col("evaluated") >= LEAST_TERMS).fill_null(value=False) & pl.col("own").is_not_null()
    has_other = pl.col("other").is_not_null()
    return both.select(
        *_WHO,
        rate_ppm=pl.when(is_own).then("own").otherwise("other"),
        rate_from=pl.when(is_own)
        .then(pl.lit("SEGMENT"))
        .when(has_other)
        .then(pl.lit("PORTFOLIO"))
        .otherwise(pl.lit("NONE")),
        rate_terms=pl.when(is_own).then("evaluated").when(has_other).then("evaluated_all").otherwise(0),
    )
