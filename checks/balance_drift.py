"""The provider's balance of a plan is not what the payments on its accounts leave.

Means:  the terms still show more (or less) due than remains after the money received on the invoices or cases
        that the plan covers.
Causes: a payment not yet booked on the plan; a credit or write-off booked on one side only; money on the
        account that was meant for something else.
Action: compare the payments on the linked accounts with the terms. A drift that payments of the settlement
        window explain to the cent is timing and needs nothing yet.
"""

from itertools import combinations

import polars as pl

from checks.base import JUDGED, Check, Frames, Severity, frame
from checks.future_dated_payment import IS_AHEAD
from checks.links import covered_accounts
from checks.wording import money, sentence, with_code
from schemas.results import PLAN_POSITIONS

PAYABLE = pl.col("amount_minor") - pl.col("waived_minor")
LINKED = pl.col("linked_received_minor")
EXPECTED = PAYABLE - pl.min_horizontal(PAYABLE, LINKED)
ACTUAL = pl.col("provider_outstanding_minor")
# Every choice of so many payments is tried; with more, only all of them together.
MOST_PAYMENTS = 10


def with_unbooked(frames: Frames) -> pl.DataFrame:
    """Return the plans with `is_unbooked`: leaving some payments of the settlement window out gives the balance.

    The payments of the window are the latest on the plan's accounts that make up `linked_recent_minor`.
    """
    plans = frame(frames, "plan_positions")
    off = plans.filter((ACTUAL != EXPECTED) & (pl.col("linked_recent_minor").fill_null(0) != 0)).select(
        "plan_no", "linked_recent_minor", payable=PAYABLE, received=LINKED, actual=ACTUAL
    )
    paid = _payments(frames, off)
    rows = [
        (plan_no, _explains(_latest(paid.get(plan_no, {}), recent), recent, payable, received, actual))
        for plan_no, recent, payable, received, actual in off.iter_rows()
    ]
    found = pl.DataFrame(rows, schema={"plan_no": pl.Int64, "is_unbooked": pl.Boolean}, orient="row")
    joined = plans.join(found, on="plan_no", how="left", validate="1:1")
    return joined.with_columns(pl.col("is_unbooked").fill_null(value=False))


def _payments(frames: Frames, plans: pl.DataFrame) -> dict[int, dict[object, list[int]]]:
    """Return, per plan and day, what settled on its accounts since it was made, less what went back."""
    back = pl.when(pl.col("class") == "reversed").then(pl.col("amount_minor")).otherwise(0)
    settled = frame(frames, "payment_positions").filter(
        pl.col("is_money")
        & pl.col("class").is_in(["received", "reversed", "partly_reversed"])
        & ~pl.col("payment_id").str.starts_with("psp:")
        & ~IS_AHEAD
    )
    covered = covered_accounts(frames).join(plans, on="plan_no", how="semi")
    rows = (
        covered.select("plan_no", "account_no", "created_on", "currency")
        .join(settled.drop("plan_no", "created_on"), on=["account_no", "currency"], validate="m:m")
        .filter(pl.col("effective_date") >= pl.col("created_on"))
        .select(
            "plan_no",
            "effective_date",
            kept=pl.col("amount_minor") - pl.col("reversed_amount_minor").fill_null(back),
        )
    )
    days: dict[int, dict[object, list[int]]] = {}
    for plan_no, day, kept in rows.sort("plan_no", "effective_date", descending=[False, True]).iter_rows():
        days.setdefault(plan_no, {}).setdefault(day, []).append(kept)
    return days


def _latest(by_day: dict[object, list[int]], recent: int) -> list[int]:
    """Return the payments of the latest days that add up to `recent`, or that sum alone if no days do."""
    taken: list[int] = []
    for amounts in by_day.values():
        taken += amounts
        if sum(taken) == recent:
            return taken
    return [recent]


def _explains(window: list[int], recent: int, payable: int, received: int, actual: int) -> bool:
    unbooked = {recent}
    if len(window) <= MOST_PAYMENTS:
        unbooked |= {sum(some) for size in range(1, len(window) + 1) for some in combinations(window, size)}
    return any(actual == payable - min(payable, received - amount) for amount in unbooked)


CHECK = Check(
    code="BALANCE_DRIFT",
    severity=Severity.MEDIUM,
    over=PLAN_POSITIONS,
    prepare=with_unbooked,
    whole=True,
    # The balance is of the day of its version: before that day there is nothing to hold it against.
    applies=(pl.col("basis") == "PROVIDER_BALANCE")
    & pl.col("status").is_in(JUDGED)
    & ACTUAL.is_not_null()
    & LINKED.is_not_null()
    & (pl.col("updated_on").is_null() | (pl.col("updated_on") <= pl.col("as_of"))),
    when=ACTUAL != EXPECTED,
    timing=pl.col("is_unbooked"),
    expected=money(EXPECTED),
    actual=money(ACTUAL),
    difference_minor=ACTUAL - EXPECTED,
    explanation=sentence(
        "Plan {}: the provider shows {} still due, but of {} payable {} was received on its accounts, "
        "which leaves {}: a difference of {}.",
        pl.col("plan_id"),
        with_code(ACTUAL),
        with_code(PAYABLE),
        with_code(LINKED),
        with_code(EXPECTED),
        with_code(ACTUAL - EXPECTED),
    ),
    needs=("plans", "terms", "payments", "accounts"),
)
