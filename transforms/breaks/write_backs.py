"""Compare the changes we made at a provider with what the provider shows of them.

In two steps: first which changes a provider must show by now, so that the terms of these plans are kept while the
portfolio is computed; then what it shows. What counts as a break is not decided here.
"""

from datetime import date, datetime

import polars as pl

from schemas.core import WHO
from schemas.writes import AGREEMENTS, WRITES

COMPARED = ("create", "approve", "reject", "deactivate")
"""Operations after which it is known what the plan must look like; after any other it is no longer known."""

WITH_TERMS = ("create", "approve")
"""Operations that bring a plan into force, and with it the terms that were agreed."""

STILL_OWED = ("ACTIVE", "FINISHED", "UNKNOWN")
"""Statuses whose terms are all there: a provider takes terms away when a plan ends."""

GONE = ("VOID", "SUPERSEDED")
"""States of terms that no longer count."""

_PLAN = (*WHO, "plan_id")
_FETCHED = ("plans", "terms")
_DATED = ("created_on", "approved_on", "rejected_on", "deactivated_on", "deleted_on", "ended_on", "removed_on")


def shown_by_now(
    writes: pl.DataFrame,
    plans: pl.DataFrame,
    completeness: pl.DataFrame,
    clocks: pl.DataFrame,
    *,
    as_of: date,
    known_at: datetime | None,
    zone: str,
) -> pl.DataFrame:
    """Return `WRITES` and `plan_no` of the newest change of each plan, where the provider must show it by now.

    It must where the change was done before the newest complete fetch of plans and terms began, by our own clock
    both times, and on or before the as-of date. `plan_no` is null where no fetch showed the plan. Left out are plans
    that another change was under way for while that fetch ran, and plans to which something happened after the
    as-of date: they are compared on that later date.

    Args:
        writes: `WRITES`, also intents of later than `known_at`.
        plans: `PLANS` as known.
        completeness: provider, tenant_id, entity, complete, fresh_at.
        clocks: provider, tenant_id, clock: the provider's own time when the newest fetch began. A change that was
            done before it happened no later than that in the provider's days, wherever its clock stands.
        as_of: Civil date whose end is described.
        known_at: When the newest load that may be looked at became known; null where there is none.
        zone: Reporting time zone, which decides on which day a change was done.
    """
    if writes.is_empty():
        return WRITES.empty().with_columns(plan_no=pl.lit(None, dtype=pl.Int64))
    of_plans = writes.filter(pl.col("plan_id").is_not_null())
    fetched = of_plans.join(_fetched(completeness), on=WHO, how="inner", validate="m:1").join(
        clocks, on=WHO, how="left", validate="m:1"
    )
    is_over = (pl.col("ended_at") <= pl.col("fresh_at")).fill_null(value=False)
    happened = pl.min_horizontal("ended_at", "clock").dt.convert_time_zone(zone).dt.date()
    newest = (
        fetched.filter(is_over & (pl.col("write_state") == "done") & (happened <= as_of))
        .sort("ended_at", "planned_at", "intent_id")
        .unique(_PLAN, keep="last", maintain_order=True)
        .filter(pl.col("operation").is_in(COMPARED))
    )
    under_way = fetched.filter(~is_over & (pl.col("planned_at") <= known_at))
    concerned = plans.join(newest, on=_PLAN, how="semi")
    numbers = concerned.select(
        "plan_no", *_PLAN, is_later=pl.any_horizontal((pl.col(_DATED) > as_of).fill_null(value=False))
    )
    return (
        newest.join(under_way, on=_PLAN, how="anti")
        .join(numbers, on=_PLAN, how="left", validate="1:1")
        .filter(~pl.col("is_later").fill_null(value=False))
        .select(*WRITES.columns, "plan_no")
    )


def agreements(
    changes: pl.DataFrame, agreed_terms: pl.DataFrame, positions: pl.DataFrame, terms: pl.DataFrame
) -> pl.DataFrame:
    """Return `AGREEMENTS`: each change with its plan as shown, and the first term that is not as agreed.

    Terms are compared one by one, by due date and amount, where any were agreed and the plan is in force or finished.

    Args:
        changes: What `shown_by_now` returned.
        agreed_terms: `AGREED_TERMS`, also of other intents.
        positions: `PLAN_POSITIONS`, also of other plans.
        terms: `TERM_POSITIONS` of these plans at least.
    """
    if changes.is_empty():
        return AGREEMENTS.empty()
    shown = positions.select("plan_no", "account_id", "status", shown_currency="currency")
    changed = changes.rename({"currency": "agreed_currency"}).join(shown, on="plan_no", how="left", validate="m:1")
    ours = _numbered(agreed_terms.join(changed.select("intent_id"), on="intent_id", how="semi"))
    still_owed = changed.filter(pl.col("status").is_in(STILL_OWED)).select("plan_no", "intent_id")
    theirs = _numbered(
        terms.filter(~pl.col("state").is_in(GONE)).join(still_owed, on="plan_no", how="inner", validate="m:1")
    )
    counted = (
        changed.join(_summed(ours, "agreed"), on="intent_id", how="left", validate="1:1")
        .join(_summed(theirs, "shown"), on="intent_id", how="left", validate="1:1")
        .with_columns(
            pl.col("agreed_count", "agreed_minor").fill_null(0),
            pl.when(pl.col("status").is_in(STILL_OWED)).then(pl.col("shown_count", "shown_minor").fill_null(0)),
            currency=pl.coalesce("shown_currency", "agreed_currency"),
        )
    )
    first = _first_difference(counted, ours, theirs)
    compared = counted.drop("amount_minor").join(first, on="intent_id", how="left", validate="1:1")
    return AGREEMENTS.gate(compared.select(AGREEMENTS.columns).sort(_PLAN))


def _fetched(completeness: pl.DataFrame) -> pl.DataFrame:
    """Return, per tenant, when the older of its newest complete fetches of plans and of terms began; else no row."""
    return (
        completeness.filter(pl.col("entity").is_in(_FETCHED), pl.col("fresh_at").is_not_null())
        .group_by(WHO)
        .agg(pl.col("fresh_at").min(), lists=pl.len())
        .filter(pl.col("lists") == len(_FETCHED))
        .drop("lists")
    )


def _numbered(terms: pl.DataFrame) -> pl.DataFrame:
    """Return `intent_id`, `sequence`, `due_date`, `amount_minor`, the terms of each intent from 1 by date and amount."""
    ordered = terms.sort("intent_id", "due_date", "amount_minor")
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("intent_id")
    return ordered.select("intent_id", "due_date", "amount_minor", sequence=number)


def _summed(terms: pl.DataFrame, whose: str) -> pl.DataFrame:
    count, total = pl.len().cast(pl.Int64), pl.col("amount_minor").sum()
    return terms.group_by("intent_id").agg(count.alias(f"{whose}_count"), total.alias(f"{whose}_minor"))


def _first_difference(counted: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Return, for each intent whose terms are not all as agreed, the first one as agreed and as shown."""
    is_asked = pl.col("operation").is_in(WITH_TERMS) & (pl.col("agreed_count") > 0)
    with_terms = counted.filter(is_asked & pl.col("status").is_in(STILL_OWED))
    in_ours = ours.rename({"due_date": "agreed_due_date", "amount_minor": "agreed_amount_minor"})
    pairs = in_ours.join(theirs, on=["intent_id", "sequence"], how="full", coalesce=True, validate="1:1")
    same_currency = pl.col("agreed_currency").eq_missing(pl.col("currency")) | pl.col("agreed_currency").is_null()
    is_same = (
        pl.col("agreed_due_date").eq_missing(pl.col("due_date"))
        & pl.col("agreed_amount_minor").eq_missing(pl.col("amount_minor"))
        & same_currency
    )
    return (
        pairs.join(
            with_terms.select("intent_id", "agreed_currency", "currency"), on="intent_id", how="inner", validate="m:1"
        )
        .filter(~is_same)
        .sort("intent_id", "sequence")
        .unique("intent_id", keep="first", maintain_order=True)
        .drop("agreed_currency", "currency")
    )
