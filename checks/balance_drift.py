"""The provider's balance of a plan is not what the payments on its accounts leave.

Means:  the terms still show more (or less) due than remains after the money received on the invoices or cases
        that the plan covers.
Causes: a payment not yet booked on the plan; a credit or write-off booked on one side only; money on the
        account that was meant for something else.
Action: compare the payments on the linked accounts with the terms. A drift that a payment of the settlement
        window explains is timing and needs nothing yet.
"""

import polars as pl

from checks.base import JUDGED, Check, Severity
from checks.wording import money, sentence, with_code
from schemas.results import PLAN_POSITIONS

PAYABLE = pl.col("amount_minor") - pl.col("waived_minor")
LINKED = pl.col("linked_received_minor")
RECENT = pl.col("linked_recent_minor").fill_null(0)
EXPECTED = PAYABLE - pl.min_horizontal(PAYABLE, LINKED)
# What would be left had none of the money of the settlement window been booked yet.
BEFORE_RECENT = PAYABLE - pl.min_horizontal(PAYABLE, LINKED - RECENT)
ACTUAL = pl.col("provider_outstanding_minor")

CHECK = Check(
    code="BALANCE_DRIFT",
    severity=Severity.MEDIUM,
    over=PLAN_POSITIONS,
    # The balance is of the day of its version: before that day there is nothing to hold it against.
    applies=(pl.col("basis") == "PROVIDER_BALANCE")
    & pl.col("status").is_in(JUDGED)
    & ACTUAL.is_not_null()
    & LINKED.is_not_null()
    & (pl.col("updated_on").is_null() | (pl.col("updated_on") <= pl.col("as_of"))),
    when=ACTUAL != EXPECTED,
    timing=(ACTUAL > EXPECTED) & (ACTUAL <= BEFORE_RECENT),
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
