"""The provider says that less than nothing is due on a term.

Means:  more was paid on the term than it is for; it counts as nothing due, and the provider's own figure is shown.
Causes: an overpayment that was not moved to another term; a credit booked on a term that was paid already.
Action: have the surplus moved to the next term or paid back.
"""

import polars as pl

from checks.base import Check
from checks.wording import day, money, sentence, with_code
from schemas.results import TERM_POSITIONS

DUE = pl.col("provider_outstanding_minor")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="DUE_BELOW_ZERO",
    severity="low",
    over=TERM_POSITIONS,
    applies=DUE.is_not_null() & ~pl.col("state").is_in(["VOID", "SUPERSEDED"]),
    when=DUE < 0,
    expected=money(pl.lit(0, dtype=pl.Int64)),
    actual=money(DUE),
    difference_minor=DUE,
    explanation=sentence(
        "Plan {}, term {} due on {}: the provider says {} is due on it, less than nothing; it counts as nothing due.",
        pl.col("plan_id"),
        pl.col("term_no"),
        day(pl.col("due_date")),
        with_code(DUE),
    ),
    needs=("terms",),
)
