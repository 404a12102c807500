"""The provider says that more is due on a term than the term is for.

Means:  something was added to what the plan agreed; the term counts as wholly open, never as more.
Causes: interest or costs booked on the term; a term made smaller without its balance; a payment taken back twice.
Action: look the term up at the provider; correct the balance, or agree on a new plan for what was added.
"""

import polars as pl

from checks.base import Check
from checks.wording import day, money, sentence, with_code
from schemas.results import TERM_POSITIONS

DUE = pl.col("provider_outstanding_minor")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="DUE_ABOVE_AMOUNT",
    severity="medium",
    over=TERM_POSITIONS,
    applies=DUE.is_not_null() & ~pl.col("state").is_in(["VOID", "SUPERSEDED"]),
    when=pl.col("amount_minor") < DUE,
    expected=money(pl.col("amount_minor")),
    actual=money(DUE),
    difference_minor=DUE - pl.col("amount_minor"),
    explanation=sentence(
        "Plan {}, term {} due on {}: the provider says {} is due on it, more than the {} it is for; the term counts as wholly open.",
        pl.col("plan_id"),
        pl.col("term_no"),
        day(pl.col("due_date")),
        with_code(DUE),
        with_code(pl.col("amount_minor")),
    ),
    needs=("terms",),
)
