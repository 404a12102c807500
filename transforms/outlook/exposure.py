"""How much of what plans in force still owe is at risk, who owes the most, and money that stands nowhere."""

from collections.abc import Iterator

import polars as pl

from schemas.results import EXPOSURE
from transforms.outlook.shares import share_ppm
from transforms.positions import VANISHED

PAST = (0, 30, 60, 90)
"""Days past due beyond which the whole remaining money of a plan is at risk."""
LARGEST = 10
_WHO = ("provider", "tenant_id", "currency")
_DEBTOR = ("customer_id", "account_id", "plan_id")


def exposure(plans: pl.DataFrame, orphans: pl.DataFrame) -> pl.DataFrame:
    """Return `EXPOSURE`: one row per provider, tenant, currency and metric.

    `PAR>0` to `PAR>90`: all that plans in force with more days past due than that still owe, and its share of what all
    plans in force owe. `LARGEST_10`: the same of the ten debtors who owe the most; a debtor is the customer where the
    provider names one, else the account. `UNAPPLIED`: money received that no term took, also of plans that ended; not
    of plans that vanished, nor where the provider's balances leave it unknown. `ORPHANS`: payments that name a plan or
    account nobody ever showed; `plans` counts payments there. The last two are no share of anything.

    Args:
        plans: `PLAN_POSITIONS` of the whole portfolio.
        orphans: `ORPHANS` of the as-of date.
    """
    told = plans.lazy()
    owed = told.filter("is_in_force").select(*_WHO, *_DEBTOR, "days_past_due", "outstanding_minor")
    whole = owed.group_by(_WHO).agg(whole=pl.col("outstanding_minor").sum())
    at_risk = pl.concat([*_past_due(owed, whole), _largest(owed, whole)])
    shared = at_risk.join(whole, on=_WHO, how="left", validate="m:1").with_columns(
        share_ppm=share_ppm(pl.col("amount_minor"), pl.col("whole"))
    )
    unshared = pl.concat([_unapplied(told), _orphans(orphans.lazy())]).with_columns(
        share_ppm=pl.lit(None, dtype=pl.Int64)
    )
    every = pl.concat([shared.drop("whole"), unshared]).select(EXPOSURE.columns)
    return EXPOSURE.gate(every.sort(*_WHO, "metric").collect())


def _past_due(owed: pl.LazyFrame, whole: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    for days in PAST:
        late = owed.filter(pl.col("days_past_due") > days)
        found = late.group_by(_WHO).agg(**_sums("outstanding_minor"))
        yield _named(whole.join(found, on=_WHO, how="left", validate="1:1"), f"PAR>{days}")


def _largest(owed: pl.LazyFrame, whole: pl.LazyFrame) -> pl.LazyFrame:
    # An account stands for its debtor only where no customer is named, so the two never mean one.
    other = pl.when(pl.col("customer_id").is_null()).then(pl.coalesce("account_id", "plan_id"))
    debtors = owed.group_by(*_WHO, "customer_id", other=other).agg(**_sums("outstanding_minor"))
    # Only who owes as much as the last of the ten can be one of them: few are put in order.
    owing = debtors.filter(pl.col("amount_minor") > 0)
    least = owing.group_by(_WHO).agg(least=pl.col("amount_minor").top_k(LARGEST).min())
    largest = (
        owing.join(least, on=_WHO, how="left", validate="m:1")
        .filter(pl.col("amount_minor") >= pl.col("least"))
        .sort(*_WHO, "amount_minor", "customer_id", "other", descending=[False] * 3 + [True, False, False])
        .group_by(_WHO, maintain_order=True)
        .head(LARGEST)
        .group_by(_WHO)
        .agg(pl.col("plans", "amount_minor").sum())
    )
    return _named(whole.join(largest, on=_WHO, how="left", validate="1:1"), f"LARGEST_{LARGEST}")


def _unapplied(plans: pl.LazyFrame) -> pl.LazyFrame:
    is_told = pl.col("unapplied_minor").is_not_null() & ~pl.col("flags").str.contains(rf"\b{VANISHED}\b")
    own = plans.filter(is_told)
    found = own.filter(pl.col("unapplied_minor") != 0).group_by(_WHO).agg(**_sums("unapplied_minor"))
    return _named(own.select(_WHO).unique().join(found, on=_WHO, how="left", validate="1:1"), "UNAPPLIED")


def _orphans(orphans: pl.LazyFrame) -> pl.LazyFrame:
    """Return the payments among the orphans; one without a currency has no sum to stand in."""
    payments = orphans.filter(pl.col("payment_id").is_not_null() & pl.col("currency").is_not_null())
    return _named(payments.group_by(_WHO).agg(**_sums("amount_minor")), "ORPHANS")


def _sums(money: str) -> dict[str, pl.Expr]:
    return {"plans": pl.len().cast(pl.Int64), "amount_minor": pl.col(money).sum()}


def _named(rows: pl.LazyFrame, metric: str) -> pl.LazyFrame:
    counted = rows.with_columns(pl.col("plans", "amount_minor").fill_null(0))
    return counted.select(*_WHO, "plans", "amount_minor", metric=pl.lit(metric))
