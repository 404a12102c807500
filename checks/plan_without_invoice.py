"""The provider calls a plan active, but no invoice or case names it.

Means:  nothing shows what the plan's money is owed for; whoever pays its terms pays no invoice.
Causes: the invoices were deleted, or taken over by another plan; the plan was made for the wrong debtor; a list of
        invoices that the credentials may not see whole.
Action: look the plan up at the provider; end it, or have its invoices put back.
"""

import polars as pl

from checks.base import Check
from checks.wording import sentence
from schemas.results import PLAN_POSITIONS

NAMED = pl.col("linked_accounts")

CHECK = Check(
    code="STATUS_CONTRADICTION",
    reason="PLAN_WITHOUT_INVOICE",
    severity="medium",
    over=PLAN_POSITIONS,
    # Whether an account named the plan is known only from its newest version on.
    applies=(pl.col("status") == "ACTIVE") & NAMED.is_not_null(),
    when=NAMED == 0,
    expected=pl.lit("an invoice or case"),
    actual=pl.lit("none"),
    explanation=sentence("Plan {} is active, but no invoice or case names it.", pl.col("plan_id")),
    needs=("plans", "accounts"),
    from_absence=True,
)
