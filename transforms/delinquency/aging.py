"""What plans in force owe, by currency and delinquency bucket: grouped by plan, and grouped by term."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from schemas.options import Options
from transforms.balances.book import Book
from transforms.delinquency.buckets import in_buckets
from transforms.delinquency.months import months_past_due

_GROUP = ("provider", "tenant_id", "currency", "bucket", "bucket_no")
_TERM_SUMS = ("terms", "plans", "outstanding_minor")


def aging(plan_positions: pl.DataFrame) -> pl.DataFrame:
    """Return one row per provider, tenant, currency and bucket that holds a plan in force.

    Columns `provider, tenant_id, currency, bucket, bucket_no, plans, terms, amount_due_minor,
    overdue_minor, outstanding_minor`; `terms` counts unsatisfied terms due by the as-of date. A
    plan's whole money stands in the plan's bucket. Sums over buckets are the totals, to the cent.
    """
    sums = (
        plan_positions.filter("is_in_force")
        .group_by(_GROUP)
        .agg(
            pl.len().cast(pl.Int64).alias("plans"),
            pl.col("open_terms_due").sum().alias("terms"),
            pl.col("amount_due_minor", "overdue_minor", "outstanding_minor").sum(),
        )
    )
    return _ordered(sums)


def age_terms(
    book: Book,
    judged: pl.DataFrame,
    in_force: pl.Series,
    anchors: pl.Series,
    *,
    as_of: date,
    options: Mapping[str, Options],
) -> pl.DataFrame:
    """Return the sums of `aging_terms` over one part: unsatisfied terms due by the as-of date, each by its own age.

    The age is the as-of date less the due date, in calendar days whatever days past due are
    counted in; in a set of months, the full months since then, as the set counts them.

    Args:
        book: Plans and terms.
        judged: What `judgement.judge` returned.
        in_force: Per plan, whether it carries money.
        anchors: Per plan, what `months.anchors` returned.
        as_of: Civil date whose end is described.
        options: `Options` by provider.
    """
    is_open = judged["counts"] & ~judged["is_satisfied"] & (judged["due_date"] <= as_of)
    rows = (is_open & book.segments.spread(in_force)).arg_true()
    # The plan of each open term; its figures are looked up by it below.
    owner = book.segments.owner.gather(rows)
    terms = judged.select("due_date", "nominal_due_date", "outstanding_minor")[rows]
    start = terms["nominal_due_date"].zip_with(terms["nominal_due_date"].is_not_null(), terms["due_date"])
    ages = pl.concat(
        [
            book.plans.select("plan_no", "provider", "tenant_id", "currency")[owner],
            terms.select("outstanding_minor", days_past_due=(pl.lit(as_of) - pl.col("due_date")).dt.total_days()),
            months_past_due(start, anchors.gather(owner), as_of=as_of),
        ],
        how="horizontal",
    )
    return (
        pl.concat([ages, in_buckets(ages, options)], how="horizontal")
        .group_by(_GROUP)
        .agg(
            pl.len().cast(pl.Int64).alias("terms"),
            pl.col("plan_no").n_unique().cast(pl.Int64).alias("plans"),
            pl.col("outstanding_minor").sum(),
        )
    )


def aging_terms(aged: pl.DataFrame) -> pl.DataFrame:
    """Return one row per provider, tenant, currency and bucket that holds a due, unsatisfied term of a plan in force.

    Columns `provider, tenant_id, currency, bucket, bucket_no, terms, plans, outstanding_minor`; a
    plan with terms of several ages is counted in several rows. Where no shortfall is tolerated, the
    money of all rows is what `aging` calls amount due.

    Args:
        aged: What `age_terms` returned, of all parts one below the other; no plan is in two of them.
    """
    return _ordered(aged.group_by(_GROUP).agg(pl.col(_TERM_SUMS).sum()))


def _ordered(sums: pl.DataFrame) -> pl.DataFrame:
    return sums.sort("provider", "tenant_id", "currency", "bucket_no", nulls_last=True)
