"""Two payments of one account look like the same payment made twice.

Means:  same account, amount and currency, at most three days apart, and no plan had enough due for both. The break stands on the later payment; nothing is taken out of the figures.
Causes: a form sent twice; a payment by hand beside a collection; a file handed in twice.
Action: ask the customer or the bank whether both are meant; refund or rebook the one that is not.
"""

from functools import reduce
from operator import and_

import polars as pl

from checks.base import Check, Frames, frame
from checks.wording import day, money, sentence, with_code
from schemas.results import PAYMENT_POSITIONS
from schemas.seeds import numbers

WINDOW_DAYS = numbers("windows")["repeated_payment_days"]
SERVICE = pl.col("payment_id").str.starts_with("psp:")
# What a payment service has settled stands among the payments too: its own row would count it twice.
COUNTS = pl.col("is_money") & ~(SERVICE & (pl.col("class") != "pending"))
MAY_REPEAT = COUNTS & pl.col("class").is_in(["received", "pending"]) & pl.col("account_no").is_not_null()
KEPT = (
    pl.when(pl.col("class").is_in(["received", "pending", "partly_reversed"]))
    .then(pl.col("amount_minor") - pl.col("reversed_amount_minor").fill_null(0))
    .otherwise(0)
)
# A pending payment comes on the day it is planned for, not on the day it was entered.
COMES_ON = (
    pl.when(pl.col("class") == "pending").then(pl.col("planned_on")).otherwise(None).fill_null(pl.col("effective_date"))
)
NEAR = (pl.col("effective_date") - pl.col("effective_date").shift(1)) <= pl.duration(days=WINDOW_DAYS)
_DAYS = 2**22
"""Room for a day in a number that packs account and day: days of two accounts are never near."""
PAIR = ("account_no", "currency", "amount_minor", "is_service")


def plans_in_question(frames: Frames) -> pl.Series:
    """Return the `plan_no` of every plan whose terms are needed to tell a repeat from two terms paid at once.

    For callers that hold the terms part by part: `with_repeat` wants all payments, but terms of these plans only.
    Reads `payment_positions`, `plan_accounts` and `plan_positions`.
    """
    return _pairs(_counted(frames), _links(frames))["plan_no"].drop_nulls().unique().sort()


def with_repeat(frames: Frames) -> pl.DataFrame:
    """Return the payments with `repeats` and `repeats_on`: the earlier payment that a later one repeats.

    Both are null where a payment repeats none, or where the plan's terms due by the later day, less the money
    that came before, were at least the sum of both. Where there is no plan, nothing was due.
    """
    payments, links = _counted(frames), _links(frames)
    pairs = _pairs(payments, links)
    if pairs.is_empty():  # most portfolios on most days
        none = (pl.lit(None, dtype=pairs.schema[name]).alias(name) for name in ("repeats", "repeats_on"))
        return frame(frames, "payment_positions").with_columns(none)
    explained = (
        _due(pairs, frame(frames, "term_positions")) - _before(pairs, payments, links) >= 2 * pairs["amount_minor"]
    )
    repeats = pairs.filter(~explained).select("payment_no", "repeats", "repeats_on")
    return frame(frames, "payment_positions").join(repeats, on="payment_no", how="left", validate="1:1")


def _counted(frames: Frames) -> pl.DataFrame:
    """Return the payments that count, narrow: whether they may repeat another, and what of them was kept."""
    return (
        frame(frames, "payment_positions")
        .lazy()
        .filter(COUNTS)
        .select(
            "payment_no",
            "payment_id",
            "account_no",
            "plan_no",
            "currency",
            "amount_minor",
            effective_date=COMES_ON,
            is_service=SERVICE,
            may_repeat=MAY_REPEAT,
            kept_minor=KEPT,
        )
        .collect()
    )


def _links(frames: Frames) -> pl.DataFrame:
    """Return which plans cover an account, of those whose payments do not name their plan."""
    plans = frame(frames, "plan_positions").lazy().filter(pl.col("basis") == "PROVIDER_BALANCE")
    plans = plans.select("plan_no", "created_on", "deactivated_on")
    links = frame(frames, "plan_accounts").lazy().select("plan_no", "account_no")
    return links.join(plans, on="plan_no", validate="m:1").collect()


def _in_plans(payments: pl.LazyFrame, links: pl.DataFrame) -> pl.LazyFrame:
    """Return the payments with the plan they pay: their own, else the one linked to their account.

    Of several plans linked to one account, the newest that existed on the effective date and had not ended.
    """
    lives = (pl.col("created_on") <= pl.col("effective_date")) & (
        pl.col("deactivated_on").is_null() | (pl.col("deactivated_on") >= pl.col("effective_date"))
    )
    linked = (
        payments.filter(pl.col("plan_no").is_null() & pl.col("account_no").is_not_null())
        .select("payment_no", "account_no", "effective_date")
        .join(links.lazy(), on="account_no", validate="m:m")
        .filter(lives)
        .sort("payment_no", "created_on", "plan_no")
        .group_by("payment_no", maintain_order=True)
        .agg(linked_plan_no=pl.col("plan_no").last())
    )
    joined = payments.join(linked, on="payment_no", how="left", validate="1:1")
    return joined.with_columns(plan_no=pl.coalesce("plan_no", "linked_plan_no")).drop("linked_plan_no")


def _pairs(payments: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Return each payment that comes within the window after one like it, with that earlier one."""
    ordered = _near(payments).sort(*PAIR, "effective_date", "payment_id")
    # Each payment against the one before it, in order of account, amount, currency and day.
    same = reduce(and_, [pl.col(name) == pl.col(name).shift(1) for name in PAIR])
    other = pl.col("payment_id") != pl.col("payment_id").shift(1)
    pairs = ordered.with_columns(
        is_repeat=same & NEAR & other,
        repeats=pl.col("payment_id").shift(1),
        repeats_no=pl.col("payment_no").shift(1),
        repeats_on=pl.col("effective_date").shift(1),
    ).filter("is_repeat")
    return pairs if pairs.is_empty() else _in_plans(pairs.lazy(), links).collect()


def _near(payments: pl.DataFrame) -> pl.DataFrame:
    """Return the payments that may repeat one or be repeated: of the account and amount of another within the window.

    By numbers alone, which are put in order at a third of the cost; few are left to be held against one another by all of `PAIR`.
    """
    rows = payments.filter("may_repeat")
    # Account and day in one number, put in order: fewer still have any payment of their account within the window.
    days = rows.select(pl.col("account_no") * _DAYS + pl.col("effective_date").to_physical()).to_series()
    order = days.arg_sort()
    is_close = (days.gather(order).diff() <= WINDOW_DAYS).fill_null(value=False)
    close = rows[order.filter(is_close | is_close.shift(-1, fill_value=False))]
    ordered = close.sort("account_no", "amount_minor", "effective_date")
    same = reduce(and_, [pl.col(name) == pl.col(name).shift(1) for name in ("account_no", "amount_minor")])
    follows = (same & NEAR).fill_null(value=False)
    return ordered.filter(follows | follows.shift(-1, fill_value=False))


def _due(pairs: pl.DataFrame, terms: pl.DataFrame) -> pl.Series:
    """Return, per pair, what the plan's terms due by the later day come to, paid or not."""
    wanted = terms.lazy().filter(pl.col("plan_no").is_in(pairs["plan_no"].drop_nulls().unique().to_list()))
    due = (
        pairs.lazy()
        .select("payment_no", "plan_no", "effective_date")
        .join(wanted.select("plan_no", "due_date", "amount_minor", "waived_minor"), on="plan_no", validate="m:m")
        .filter(pl.col("due_date") <= pl.col("effective_date"))
        .group_by("payment_no")
        .agg(total=(pl.col("amount_minor") - pl.col("waived_minor")).sum())
    )
    return _aligned(pairs, due)


def _before(pairs: pl.DataFrame, payments: pl.DataFrame, links: pl.DataFrame) -> pl.Series:
    """Return, per pair, the money of the plan that precedes the later payment, the earlier one left out."""
    plans = pairs.select("plan_no").drop_nulls().unique()
    accounts = links.join(plans, on="plan_no", how="semi")["account_no"].unique()
    mine = pl.col("plan_no").is_in(plans["plan_no"].to_list())
    linked = pl.col("plan_no").is_null() & pl.col("account_no").is_in(accounts.to_list())
    other = _in_plans(payments.lazy().filter((pl.col("kept_minor") > 0) & (mine | linked)), links).select(
        "plan_no", "kept_minor", other_no="payment_no", other_id="payment_id", other_on="effective_date"
    )
    precedes = (pl.col("other_on") < pl.col("effective_date")) | (
        (pl.col("other_on") == pl.col("effective_date")) & (pl.col("other_id") < pl.col("payment_id"))
    )
    before = (
        pairs.lazy()
        .select("payment_no", "plan_no", "effective_date", "payment_id", "repeats_no")
        .join(other, on="plan_no", validate="m:m")
        .filter(precedes & (pl.col("other_no") != pl.col("repeats_no")))
        .group_by("payment_no")
        .agg(total=pl.col("kept_minor").sum())
    )
    return _aligned(pairs, before)


def _aligned(pairs: pl.DataFrame, totals: pl.LazyFrame) -> pl.Series:
    mine = pairs.lazy().select("payment_no")
    joined = mine.join(totals, on="payment_no", how="left", validate="1:1", maintain_order="left")
    return joined.select(pl.col("total").fill_null(0)).collect().to_series()


CHECK = Check(
    code="DUPLICATE_PAYMENT",
    reason="NEAR",
    severity="medium",
    over=PAYMENT_POSITIONS,
    prepare=with_repeat,
    whole=True,
    applies=MAY_REPEAT,
    when=pl.col("repeats").is_not_null(),
    expected=money(pl.lit(0, dtype=pl.Int64)),
    actual=money(pl.col("amount_minor")),
    difference_minor=pl.col("amount_minor"),
    explanation=sentence(
        "Payment {} of {} on {} looks like payment {} of {} made again: same account, same amount, "
        "and no plan had both sums due.",
        pl.col("payment_id"),
        with_code(pl.col("amount_minor")),
        day(COMES_ON),
        pl.col("repeats"),
        day(pl.col("repeats_on")),
    ),
    needs=("terms", "payments"),
)
