"""The plans and payments that exist on the as-of date, and which belongs to which.

The whole portfolio at once, without terms: what the terms say is judged plan by
plan in `positions.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.options import Options
from schemas.table import sorted_by
from transforms.calendars.business import business_between, repeated
from transforms.location.naming import named_by, names_now
from transforms.location.ownership import claims, is_service_transaction, linked_received, owners
from transforms.location.standing import stand
from transforms.options import by_provider

SETTLED = ("received", "reversed", "partly_reversed")
"""Classes of payments that were money once; the part that went back is in `back_minor`."""


@dataclass(frozen=True, slots=True)
class Located:
    """What exists on the as-of date.

    `plans`: `PLANS` columns, in plan_no order, plus what `standing.stand` and `naming.named_by` add and
    `linked_received_minor`, `linked_recent_minor`, `linked_first_day_minor`. `payments`: `PAYMENTS` columns, in
    payment_no order, with `plan_no`, `class` and the reversal as of the date, plus
    `counts_from`, `basis`, `back_minor`, `unusable_minor`, `pending_business_days`, `is_stale`, `is_provisional`. A payment dated after
    the as-of date is there only if its date was a mistake from the start (later than the fetch that told
    it); it moves no money.
    """

    plans: pl.DataFrame
    payments: pl.DataFrame


def locate(
    plans: pl.DataFrame,
    payments: pl.DataFrame,
    plan_accounts: pl.DataFrame,
    *,
    as_of: date,
    options: Mapping[str, Options],
    links: pl.DataFrame | None = None,
    accounts: pl.DataFrame | None = None,
) -> Located:
    """Return the plans and payments of the as-of date, each payment with its plan.

    Args:
        plans: `PLANS`.
        payments: `PAYMENTS`; a `plan_no` given there is kept.
        plan_accounts: `PLAN_ACCOUNTS`.
        as_of: Civil date whose end is described; later facts do not exist.
        options: `Options` by provider.
        links: `plan_no` and `linked_payment_no` of terms that name a payment: it
            belongs to their plan, whatever the day.
        accounts: `ACCOUNTS`; None: what accounts say of plans is not known.

    Raises:
        MissingOptionsError: a provider has no options.
    """
    stood = stand(plans, plan_accounts, as_of=as_of)
    claimed = claims(stood, plan_accounts, names_now(accounts))
    existing = _with_age(_as_of(payments, as_of), as_of=as_of, options=options)
    existing = _with_fees(existing.with_columns(_is_provisional(existing, as_of, options)), options)
    named = existing["plan_no"].zip_with(existing["plan_no"].is_not_null(), _named(existing, stood, links))
    owner = named.zip_with(named.is_not_null(), owners(existing, claimed, as_of=as_of))
    payments = existing.with_columns(owner.alias("plan_no"), _basis(existing, plans).alias("basis"))
    linked = linked_received(_ledger(payments, as_of=as_of, options=options), claimed, stood["plan_no"])
    named_of = named_by(stood, accounts, plan_accounts, as_of=as_of)
    return Located(plans=pl.concat([stood, named_of, linked], how="horizontal"), payments=payments)


def _as_of(payments: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the payments that exist on the day, without what happened to them later."""
    is_settled = pl.col("class").is_in(SETTLED)
    # A date later than the fetch that told it is a mistake: the row is shown from the day it was entered; where that
    # day is later than the fetch as well, on every date, whatever its class.
    told = pl.when(pl.col("effective_date") > pl.col("told_on")).then(pl.min_horizontal("created_on", "told_on"))
    is_undated = pl.min_horizontal("created_on", "effective_date") > pl.col("told_on")
    counts_from = pl.when(is_settled).then(pl.coalesce(told, "effective_date")).otherwise(pl.col("created_on"))
    is_gone = (pl.col("removed_on") <= as_of).fill_null(value=False)
    is_back = pl.col("class").is_in(SETTLED[1:]) & (pl.col("reversed_on").fill_null(pl.col("effective_date")) <= as_of)
    whole = pl.when(pl.col("class") == "reversed").then(pl.col("amount_minor")).otherwise(0)
    existing = payments.filter(((counts_from <= as_of) | is_undated.fill_null(value=False)) & ~is_gone)
    return (
        sorted_by(existing, "payment_no")
        .with_columns(counts_from=counts_from, _is_back=is_back)
        .with_columns(
            pl.when(pl.col("class").is_in(SETTLED) & ~pl.col("_is_back"))
            .then(pl.lit("received"))
            .otherwise(pl.col("class"))
            .alias("class"),
            *(pl.when("_is_back").then(name).alias(name) for name in ("reversed_on", "reversed_at")),
            pl.when("_is_back").then("reversed_amount_minor").alias("reversed_amount_minor"),
            back_minor=pl.when("_is_back").then(pl.col("reversed_amount_minor").fill_null(whole)).otherwise(0),
        )
        .drop("_is_back")
    )


def _with_age(existing: pl.DataFrame, *, as_of: date, options: Mapping[str, Options]) -> pl.DataFrame:
    """Add how many business days a payment has been pending since its planned day, and whether that is too long."""
    is_pending = existing["class"] == "pending"
    since = existing.select(pl.max_horizontal("created_on", "planned_on").clip(upper_bound=as_of)).to_series()
    since = since.set(~is_pending, None)
    age = business_between(existing["provider"], since, repeated(as_of, existing.height), options=options)
    limit = by_provider(existing, options, lambda option: option.stale_pending_days, pl.Int64())
    return existing.with_columns(
        age.alias("pending_business_days"), (age > limit).fill_null(value=False).alias("is_stale")
    )


def _is_provisional(existing: pl.DataFrame, as_of: date, options: Mapping[str, Options]) -> pl.Series:
    """Tell which received money came less than the return days ago, and may still go back."""
    is_received = (existing["class"] == "received") & existing["is_money"] & (existing["effective_date"] <= as_of)
    since = existing["effective_date"].set(~is_received, None)
    age = business_between(existing["provider"], since, repeated(as_of, existing.height), options=options)
    days = by_provider(existing, options, lambda option: option.return_days, pl.Int64())
    return (age < days).fill_null(value=False).alias("is_provisional")


def _with_fees(existing: pl.DataFrame, options: Mapping[str, Options]) -> pl.DataFrame:
    """Add `unusable_minor`: the part of a payment that terms cannot take, because it went to fees."""
    is_parted = by_provider(existing, options, lambda option: option.allocates == "PRINCIPAL_INTEREST", pl.Boolean())
    fees = pl.when(pl.lit(is_parted)).then(pl.col("fees_minor").fill_null(0)).otherwise(0)
    return existing.with_columns(unusable_minor=fees)


def _named(existing: pl.DataFrame, stood: pl.DataFrame, links: pl.DataFrame | None) -> pl.Series:
    if links is None or links.is_empty():
        return pl.Series("plan_no", [None], dtype=pl.Int64).new_from_index(0, existing.height)
    named = (
        links.select("plan_no", payment_no="linked_payment_no")
        .drop_nulls()
        .join(stood.select("plan_no"), on="plan_no", how="semi")
        .group_by("payment_no")
        .min()
    )
    return existing.select("payment_no").join(
        named, on="payment_no", how="left", validate="1:1", maintain_order="left"
    )["plan_no"]


def _basis(existing: pl.DataFrame, plans: pl.DataFrame) -> pl.Series:
    # All plans of a provider have one basis; a provider without plans has no balances either.
    by_balance = plans.filter(pl.col("basis") == "PROVIDER_BALANCE")["provider"].unique()
    basis = pl.when(pl.col("provider").is_in(by_balance.implode())).then(pl.lit("PROVIDER_BALANCE"))
    return existing.select(basis.otherwise(pl.lit("PAYMENTS"))).to_series()


def _ledger(existing: pl.DataFrame, *, as_of: date, options: Mapping[str, Options]) -> pl.DataFrame:
    """Return settled ledger payments that stand beside provider balances: net, and whether they may still settle."""
    is_theirs = (pl.col("basis") == "PROVIDER_BALANCE") & ~is_service_transaction()
    has_come = pl.col("class").is_in(SETTLED) & (pl.col("effective_date") <= as_of)
    ledger = existing.filter(is_theirs & has_come & pl.col("is_money"))
    age = business_between(
        ledger["provider"], ledger["effective_date"], repeated(as_of, ledger.height), options=options
    )
    recent = age <= by_provider(ledger, options, lambda option: option.settlement_days, pl.Int64())
    # A ledger row of class `reversed` is not the payment but its return, whatever its sign.
    is_return = pl.col("class") == "reversed"
    net = (
        pl.when(is_return).then(-pl.col("amount_minor").abs()).otherwise(pl.col("amount_minor") - pl.col("back_minor"))
    )
    return ledger.select("account_no", "effective_date", "currency", net_minor=net, is_recent=pl.lit(recent))
