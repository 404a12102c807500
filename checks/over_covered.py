"""More money was received or is on its way than the plan is for.

Means:  if the pending payments settle, the customer has paid too much.
Causes: a payment made twice, by hand and by collection; a collection not stopped after an early payoff; money
        meant for another debt of the same customer.
Action: stop the pending payment that is too much, or refund or rebook what was received.
"""

import polars as pl

from checks.base import JUDGED, Check
from checks.wording import money, sentence, with_code
from schemas.results import PLAN_POSITIONS

PAYABLE = pl.col("amount_minor") - pl.col("waived_minor")
RECEIVED = pl.col("received_minor") + pl.col("unapplied_minor").fill_null(0)
PENDING = pl.col("pending_minor")
COVER = RECEIVED + PENDING

CHECK = Check(
    code="OVER_COVERED",
    severity="medium",
    over=PLAN_POSITIONS,
    applies=pl.col("status").is_in(JUDGED),
    when=COVER > PAYABLE,
    expected=money(PAYABLE),
    actual=money(COVER),
    difference_minor=COVER - PAYABLE,
    explanation=sentence(
        "Plan {}: {} was received and {} is pending, together {} more than the {} it is for.",
        pl.col("plan_id"),
        with_code(RECEIVED),
        with_code(PENDING),
        with_code(COVER - PAYABLE),
        with_code(PAYABLE),
    ),
    needs=("plans", "terms", "payments"),
)
