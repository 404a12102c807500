"""What an account's policy allows beside what the plan on it asks, for the checks that hold both side by side."""

import polars as pl

from checks.base import Frames, frame
from schemas.core import WHO

_POLICY = ("account_no", "maximum_term", "enforce_due_date", "day_due", "tiers")
_GONE = ("VOID", "SUPERSEDED")
_LAST_DAY = 31


def planned(frames: Frames) -> pl.DataFrame:
    """Return the plans whose account has a policy, with its limits and what their terms ask.

    Limits: `maximum_term`, `most_payments` and `least_minor` (null where the policy sets none, or its tiers do not
    agree on one; zero is no limit). Terms, without removed ones: `term_count`; `smallest_minor`, the smallest amount,
    a smaller last one left out; `off_terms`, those on another day than the policy enforces, null where it enforces
    none; `off_on` and `off_from`, the first of these days and the one it should be.
    """
    plans = _plans(frames)
    terms = (
        frame(frames, "term_positions")
        .filter(~pl.col("state").is_in(_GONE))
        .select("plan_no", "term_no", "nominal_due_date", "due_date", "amount_minor")
        .join(plans.select("plan_no", "enforced_day"), on="plan_no", how="inner", validate="m:1")
    )
    asked = _asked(terms.sort("plan_no", "term_no"))
    joined = plans.join(_tier(plans), on="plan_no", how="left", validate="1:1").join(
        asked, on="plan_no", how="left", validate="1:1"
    )
    return joined.with_columns(
        least_minor=_limit(pl.coalesce("override_minor", "least_minor")),
        most_payments=_limit(pl.col("most_payments")),
        maximum_term=_limit(pl.col("maximum_term")),
        term_count=pl.col("term_count").fill_null(0),
        off_from=_on_day(pl.col("off_on")),
    )


def _limit(value: pl.Expr) -> pl.Expr:
    """Return a limit; zero means that none was set."""
    return pl.when(value > 0).then(value)


def _plans(frames: Frames) -> pl.DataFrame:
    """Return the plans with their account's policy; money of another currency is not comparable and left empty."""
    policies = frame(frames, "policies").select(
        *_POLICY,
        policy_currency="currency",
        policy_balance="initial_balance_minor",
        override_minor="restricted_override_minimum_minor",
    )
    plans = frame(frames, "plan_positions").select(
        "plan_no", *WHO, "plan_id", "account_no", "account_id", "currency", "is_in_force", "stated_total_minor"
    )
    is_same = pl.col("currency") == pl.col("policy_currency")
    is_enforced = pl.col("enforce_due_date").fill_null(value=False) & pl.col("day_due").is_between(1, _LAST_DAY)
    return plans.join(policies, on="account_no", how="inner", validate="m:1").with_columns(
        # The tiers were chosen by the balance when the plan was made; the policy's own may be a later one.
        balance=pl.when(is_same).then(pl.coalesce("stated_total_minor", "policy_balance")),
        override_minor=pl.when(is_same).then("override_minor"),
        enforced_day=pl.when(is_enforced).then("day_due"),
    )


def _tier(plans: pl.DataFrame) -> pl.DataFrame:
    """Return, per plan, `most_payments` and `least_minor` of the tier its balance is in.

    Where one tier ends at the balance and the next begins there, the lower holds. Where tiers overlap at the balance
    and do not agree, none holds: that is a fault of the policy, not of the plan.
    """
    balance, low, high = pl.col("balance"), pl.col("minimum_minor"), pl.col("maximum_minor")
    tiers = (
        plans.select("plan_no", "balance", "tiers")
        .filter(balance.is_not_null())
        .explode("tiers", empty_as_null=True)
        .filter(pl.col("tiers").is_not_null())
        .unnest("tiers")
        .filter((low.is_null() | (low <= balance)) & (high.is_null() | (high >= balance)))
        .sort("plan_no", "minimum_minor", "maximum_minor", nulls_last=False)
    )
    touch = (high.first() == balance.first()) & (low.slice(1) == balance.slice(1)).all()
    agree = pl.struct("payment_count", "restricted_minimum_minor").n_unique() == 1
    return (
        tiers.group_by("plan_no", maintain_order=True)
        .agg(
            is_clear=agree | touch.fill_null(value=False),
            most_payments=pl.col("payment_count").first(),
            least_minor=pl.col("restricted_minimum_minor").first(),
        )
        .filter("is_clear")
        .drop("is_clear")
    )


def _asked(terms: pl.DataFrame) -> pl.DataFrame:
    """Return what the terms of each plan ask, as `planned` names it; terms come in the order of their numbers."""
    # A plan's first row differs from the row before, its last from the row after.
    is_first = pl.col("plan_no").ne_missing(pl.col("plan_no").shift(1))
    is_last = pl.col("plan_no").ne_missing(pl.col("plan_no").shift(-1))
    nominal = pl.coalesce("nominal_due_date", "due_date")
    rows = terms.select(
        "plan_no",
        # The last term may be smaller, as the remainder; a single term is not a remainder.
        counted_minor=pl.when(is_first | ~is_last).then("amount_minor"),
        off_on=pl.when(nominal != _on_day(nominal)).then(nominal),
        is_enforced=pl.col("enforced_day").is_not_null(),
    )
    asked = rows.group_by("plan_no", maintain_order=True).agg(
        pl.col("is_enforced").first(),
        pl.col("off_on").min(),
        term_count=pl.len().cast(pl.Int64),
        smallest_minor=pl.col("counted_minor").min(),
        off_terms=pl.col("off_on").count().cast(pl.Int64),
    )
    return asked.with_columns(off_terms=pl.when("is_enforced").then("off_terms")).drop("is_enforced")


def _on_day(date: pl.Expr) -> pl.Expr:
    """Return the enforced day of the date's month, its last day where the month lacks the day."""
    day = pl.min_horizontal("enforced_day", date.dt.month_end().dt.day().cast(pl.Int64))
    return (date.cast(pl.Int32) + (day - date.dt.day()).cast(pl.Int32)).cast(pl.Date)
