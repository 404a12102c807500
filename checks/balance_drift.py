"""The provider's balance of a plan is not what the payments on its accounts leave.

Means:  the terms still show more (or less) due than remains after the money received on the invoices or cases
        that the plan covers. Costs, credits and write-offs are no such money. Payments have no time of day: money of
        the day the plan was made may have come before it or after it, and a balance that fits either is right.
Causes: a payment not yet booked on the plan; a credit or write-off booked on one side only; money on the
        account that was meant for something else.
Action: compare the payments on the linked accounts with the terms. A drift that payments of the settlement
        window explain to the cent is timing and needs nothing yet.
"""

from datetime import date

import polars as pl

from checks.base import JUDGED, Check, Frames, frame
from checks.links import Window, choices, windows
from checks.wording import money, sentence, with_code
from schemas.results import PLAN_POSITIONS

PAYABLE = pl.col("amount_minor") - pl.col("waived_minor")
LINKED = pl.col("linked_received_minor")
FIRST_DAY = pl.col("linked_first_day_minor").fill_null(0)
ACTUAL = pl.col("provider_outstanding_minor")


def _left(received: pl.Expr) -> pl.Expr:
    # More can go back than came in since the plan was made; the debt is never more than was agreed.
    return PAYABLE - pl.min_horizontal(PAYABLE, received).clip(lower_bound=0)


EXPECTED = _left(LINKED)
DRIFTS = (EXPECTED != ACTUAL) & (_left(LINKED - FIRST_DAY) != ACTUAL)


def with_unbooked(frames: Frames) -> pl.DataFrame:
    """Return the plans with `is_unbooked`: leaving some payments of the settlement window out gives the balance."""
    plans = frame(frames, "plan_positions")
    off = plans.filter(DRIFTS & (pl.col("linked_recent_minor").fill_null(0) != 0))
    paid = windows(frames, off)
    facts = off.select("plan_no", "created_on", PAYABLE.alias("payable"), LINKED, FIRST_DAY, ACTUAL)
    rows = [(plan_no, _explains(paid[plan_no], tuple(told))) for plan_no, *told in facts.iter_rows()]
    found = pl.DataFrame(rows, schema={"plan_no": pl.Int64, "is_unbooked": pl.Boolean}, orient="row")
    joined = plans.join(found, on="plan_no", how="left", validate="1:1")
    return joined.with_columns(pl.col("is_unbooked").fill_null(value=False))


def _explains(window: Window, plan: tuple[date, int, int, int, int]) -> bool:
    """Tell whether payments of the window, not booked yet, explain the balance, in either reading of the first day."""
    created_on, payable, received, first_day, actual = plan
    whole = [amount for _, amount in window]
    later = [amount for day, amount in window if day != created_on]
    readings = [(received, whole), (received - first_day, later)]
    return any(
        actual == payable - max(min(payable, total - unbooked), 0)
        for total, amounts in readings
        for unbooked in choices(amounts)
    )


CHECK = Check(
    code="BALANCE_DRIFT",
    severity="medium",
    over=PLAN_POSITIONS,
    prepare=with_unbooked,
    whole=True,
    # The balance is of the day of its version: before that day it cannot be compared.
    applies=(pl.col("basis") == "PROVIDER_BALANCE")
    & pl.col("status").is_in(JUDGED)
    & ACTUAL.is_not_null()
    & LINKED.is_not_null()
    & (pl.col("updated_on").is_null() | (pl.col("updated_on") <= pl.col("as_of"))),
    when=DRIFTS,
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
