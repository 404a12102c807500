"""The provider calls a term paid but gives no payment date.

Means:  nothing is outstanding by the provider's own figure; the day it was paid is unknown.
Causes: a write-off or credit at the provider, also of more than the term is for; a partial import.
Action: look the term up at the provider; days late cannot be told until then.
"""

import polars as pl

from checks.base import Check
from checks.wording import day, sentence, with_code
from schemas.results import TERM_POSITIONS

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="PAID_WITHOUT_DATE",
    severity="medium",
    over=TERM_POSITIONS,
    # A term of zero is not paid by anybody, and a void or replaced one is not owed.
    applies=pl.col("provider_outstanding_minor").is_not_null()
    & (pl.col("amount_minor") > 0)
    & ~pl.col("state").is_in(["VOID", "SUPERSEDED"]),
    when=(pl.col("provider_outstanding_minor") <= 0) & pl.col("provider_paid_on").is_null(),
    expected=pl.lit("a payment date"),
    actual=pl.lit("none"),
    explanation=sentence(
        "Plan {}, term {} of {} due on {}: the provider says nothing is due any more, but not when it was paid.",
        pl.col("plan_id"),
        pl.col("term_no"),
        with_code(pl.col("amount_minor")),
        day(pl.col("due_date")),
    ),
    needs=("terms",),
)
