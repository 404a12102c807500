"""A payment or term names a plan, term or account that does not exist.

Means:  the row can be assigned to nothing; its money is in no plan. The reason says what it names.
Causes: the row it names was deleted at the provider; an import that lost it; an id typed by hand.
Action: find out at the provider where the row belongs. Money that merely falls outside every plan's time is no
        orphan.
"""

import polars as pl

from checks.base import Check
from checks.wording import sentence, with_code
from schemas.core import ORPHANS

NAMES = pl.col("names")
NAMED_ID = (
    pl.when(NAMES == "plan")
    .then(pl.col("plan_id"))
    .when(NAMES == "term")
    .then(pl.col("term_id"))
    .otherwise(pl.col("account_id"))
)
ROW = (
    pl.when(pl.col("payment_id").is_not_null())
    .then(pl.format("Payment {}", pl.col("payment_id")))
    .otherwise(pl.format("Term {}", pl.col("term_id")))
)
# Without a currency the places are unknown, so no amount is given.
AMOUNT = (
    pl.when(pl.col("currency").is_not_null())
    .then(pl.format(" of {}", with_code(pl.col("amount_minor"))))
    .otherwise(pl.lit(""))
)

CHECK = Check(
    code="ORPHAN_PAYMENT",
    narrowed=NAMES.str.to_uppercase(),
    severity="high",
    over=ORPHANS,
    applies=pl.lit(value=True),
    when=pl.lit(value=True),
    expected=pl.format("a known {}", NAMES),
    actual=pl.format("{} {}", NAMES, NAMED_ID.fill_null("without an id")),
    difference_minor=pl.when(pl.col("currency").is_not_null()).then(pl.col("amount_minor")),
    explanation=sentence("{}{} names {} {}, which no complete fetch has ever shown.", ROW, AMOUNT, NAMES, NAMED_ID),
    needs=("plans", "terms", "payments", "accounts"),
    from_absence=True,
)
