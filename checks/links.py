"""Which accounts a plan covers and what was booked on them, for the checks that hold both side by side."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import combinations

import polars as pl

from checks.base import Frames, frame
from checks.future_dated_payment import IS_AHEAD
from schemas.core import WHO

RECEIVED = ("received", "reversed", "partly_reversed")
"""Classes of booked money that came in or went back; credits, write-offs and costs are none."""
# Every choice of so many payments is tried; with more, only all of them together.
MOST_PAYMENTS = 10


def covered_accounts(frames: Frames, wanted: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return one row per plan and account it covers, both in the frames given; of the plans `wanted` (`plan_no`) alone, where given.

    An account is covered because the plan names it or because a link was ever seen. Columns: `plan_no`,
    who, `plan_id`, `currency`, `status`, `basis`, `created_on`, `created_at` of the plan; `account_no`, `account_id`,
    `account_currency`, `is_stopped` of the account.
    """
    plans = frame(frames, "plan_positions").lazy()
    linked = frame(frames, "plan_accounts").lazy().select("plan_no", "account_no")
    if wanted is not None:
        is_wanted = pl.col("plan_no").is_in(wanted["plan_no"].implode())
        plans, linked = plans.filter(is_wanted), linked.filter(is_wanted)
    facts = plans.select(
        "plan_no", *WHO, "plan_id", "currency", "status", "basis", "created_on", "created_at", "account_no"
    )
    named = facts.filter(pl.col("account_no").is_not_null())
    others = linked.join(named, on=["plan_no", "account_no"], how="anti").join(
        facts.drop("account_no"), on="plan_no", how="inner", validate="m:1"
    )
    accounts = frame(frames, "accounts").lazy()
    return (
        pl.concat([named, others.select(pl.exclude("account_no"), "account_no")])
        .join(
            accounts.select("account_no", "account_id", "is_stopped", account_currency="currency"),
            on="account_no",
            how="inner",
            validate="m:1",
        )
        .collect()
    )


def booked(frames: Frames, plans: pl.DataFrame) -> pl.DataFrame:
    """Return the money booked on the accounts of `plans` (`plan_no`), whenever it came, in the plan's currency.

    Columns: `plan_no`, `created_on` of the plan, `effective_date`, `class`, and `kept_minor`: the amount less what
    went back, below zero for a row that is itself a return. What is no money or dated ahead, and transactions
    of a payment service, which come again as payments, are left out.
    """
    amount, back = pl.col("amount_minor"), pl.col("reversed_amount_minor")
    is_return = (pl.col("class") == "reversed") & back.is_null()
    covered = covered_accounts(frames, plans).select("plan_no", "account_no", "created_on", "currency")
    is_theirs = pl.col("account_no").is_in(covered["account_no"].implode())
    rows = (
        frame(frames, "payment_positions")
        .lazy()
        .filter(is_theirs)
        .filter(pl.col("is_money") & ~pl.col("payment_id").str.starts_with("psp:") & ~IS_AHEAD)
        .select(
            "account_no",
            "currency",
            "effective_date",
            "class",
            kept_minor=pl.when(is_return).then(-amount.abs()).otherwise(amount - back.fill_null(0)),
        )
    )
    together = covered.lazy().join(rows, on=["account_no", "currency"], validate="m:m")
    return together.drop("account_no", "currency").collect()


Window = list[tuple[date | None, int]]


def windows(frames: Frames, plans: pl.DataFrame) -> Mapping[int, Window]:
    """Return, per plan, day and amount of the payments of the settlement window, the latest first.

    They are the latest on the plan's accounts since it was made that add up to `linked_recent_minor`; where no
    days do, that sum alone stands, without a day.
    """
    recent = dict(plans.select("plan_no", "linked_recent_minor").iter_rows())
    since = booked(frames, plans).filter(
        (pl.col("effective_date") >= pl.col("created_on")) & pl.col("class").is_in(RECEIVED)
    )
    ordered = since.sort("plan_no", "effective_date", "kept_minor", descending=[False, True, False])
    paid: dict[int, list[tuple[date, int]]] = {}
    for plan_no, day, kept in ordered.select("plan_no", "effective_date", "kept_minor").iter_rows():
        paid.setdefault(plan_no, []).append((day, kept))
    return {plan_no: _latest(paid.get(plan_no, []), total) for plan_no, total in recent.items() if total}


def _latest(payments: Sequence[tuple[date, int]], recent: int) -> Window:
    for at in range(1, len(payments) + 1):
        is_whole_day = at == len(payments) or payments[at][0] != payments[at - 1][0]
        if is_whole_day and sum(amount for _, amount in payments[:at]) == recent:
            return list(payments[:at])
    return [(None, recent)]


def choices(amounts: Sequence[int]) -> set[int]:
    """Return what some of `amounts`, at least one, add up to; of more than `MOST_PAYMENTS` only all of them."""
    sizes = range(1, len(amounts) + 1) if len(amounts) <= MOST_PAYMENTS else range(len(amounts), len(amounts) + 1)
    return {sum(some) for size in sizes for some in combinations(amounts, size)}
