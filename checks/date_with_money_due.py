"""The provider gives the day a term was paid although money is still due on it.

Means:  the date says paid, the balance says not; the term is judged by the balance.
Causes: a part payment that set the date; a payment taken back without clearing it; a payment still on its way.
Action: look up the payments of the term; have the date cleared or the balance corrected. Where pending money
        covers what is due, wait for it to settle.
"""

import polars as pl

from checks.base import Check, has_happened
from checks.wording import day, money, sentence, with_code
from schemas.results import TERM_POSITIONS

DUE, PAID = pl.col("provider_outstanding_minor"), pl.col("provider_paid_on")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="DATE_WITH_MONEY_DUE",
    severity="medium",
    over=TERM_POSITIONS,
    applies=DUE.is_not_null() & has_happened(PAID) & ~pl.col("state").is_in(["VOID", "SUPERSEDED"]),
    when=DUE > 0,
    timing=pl.col("fresh_pending_minor") >= DUE,
    expected=money(pl.lit(0, dtype=pl.Int64)),
    actual=money(DUE),
    difference_minor=DUE,
    explanation=sentence(
        "Plan {}, term {} due on {}: the provider says it was paid on {}, but {} is still due.",
        pl.col("plan_id"),
        pl.col("term_no"),
        day(pl.col("due_date")),
        day(PAID),
        with_code(DUE),
    ),
    needs=("terms",),
)
