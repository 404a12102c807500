"""Money that went back after its plan had ended, for the checks that ask whether anybody still owes it."""

from collections import defaultdict

import polars as pl

from checks.base import Frames, frame
from checks.future_dated_payment import IS_AHEAD

_BACK = pl.col("reversed_amount_minor").fill_null(
    pl.when(pl.col("class") == "reversed").then(pl.col("amount_minor")).otherwise(0)
)
_MONEY = ("account_no", "currency", "day", "payment_id", "minor")


def with_return(frames: Frames) -> pl.DataFrame:
    """Return the payments with `returned_minor` and `is_owed_again`.

    `returned_minor` is what went back of a payment after the plan it had paid was over, null where nothing did: no
    plan asks for it any more. It is owed again until payments on the same account, in no plan and received on or
    after the return, cover it; the oldest return is covered first.
    """
    payments = frame(frames, "payment_positions")
    returns = _returns(payments, frame(frames, "plan_positions"))
    owed = _uncovered(returns, _later_money(payments, returns))
    told = returns.select("payment_no", returned_minor="minor")
    joined = payments.join(told, on="payment_no", how="left", validate="1:1")
    return joined.with_columns(is_owed_again=pl.col("payment_no").is_in(owed))


def _returns(payments: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Return payment_no and `_MONEY` of what went back after the end of the plan it had paid, where we keep the balance."""
    ended = plans.filter((pl.col("basis") == "PAYMENTS") & pl.col("closes_on").is_not_null())
    facts = ended.select("plan_no", "closes_on", "closes_at", plan_currency="currency")
    gone = payments.filter(pl.col("is_money") & pl.col("reversed_on").is_not_null() & (_BACK > 0))
    is_after = pl.coalesce(pl.col("reversed_at") > pl.col("closes_at"), pl.col("reversed_on") > pl.col("closes_on"))
    return (
        gone.join(facts, on="plan_no", how="inner", validate="m:1")
        .filter(is_after & (pl.col("currency") == pl.col("plan_currency")))
        .select("payment_no", "account_no", "currency", "payment_id", day="reversed_on", minor=_BACK)
        .sort("account_no", "day", "payment_id", nulls_last=True)
    )


def _later_money(payments: pl.DataFrame, returns: pl.DataFrame) -> dict[tuple[int, str], list[list[object]]]:
    """Return, by account and currency, day and amount of the received money in no plan, oldest first."""
    free = payments.filter(
        pl.col("plan_no").is_null()
        & pl.col("is_money")
        & pl.col("class").is_in(["received", "partly_reversed"])
        & ~IS_AHEAD
        & pl.col("account_no").is_in(returns["account_no"].drop_nulls().unique().implode())
    )
    rows = free.select("account_no", "currency", "effective_date", left=pl.col("amount_minor") - _BACK)
    found: dict[tuple[int, str], list[list[object]]] = defaultdict(list)
    for account, currency, day, left in rows.sort("account_no", "effective_date").iter_rows():
        found[account, currency].append([day, left])
    return found


def _uncovered(returns: pl.DataFrame, money: dict[tuple[int, str], list[list[object]]]) -> list[int]:
    """Return the payment_no of every return that the later money of its account does not cover."""
    owed = []
    for number, account, currency, day, minor in returns.select(
        "payment_no", "account_no", "currency", "day", "minor"
    ).iter_rows():
        missing = minor
        for each in money.get((account, currency), []):
            if each[0] >= day:
                taken = min(each[1], missing)
                each[1], missing = each[1] - taken, missing - taken
        if missing > 0:
            owed.append(number)
    return owed
