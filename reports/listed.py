"""The lists of the day's work, counted over all plans and kept as far as they are shown.

Which plan stands on which list is said by its column `work_lists`; who is newly missed, by the run before.
"""

from dataclasses import dataclass, field

import polars as pl

from schemas.core import WHO
from schemas.words import NEWLY_MISSED

LISTED = 200
"""Plans kept of each list."""
ORDER = ("CALL_TODAY", NEWLY_MISSED, "DUE_TODAY", "SETTLING", "PAUSED", "NOT_OWED", "ENDED_WITH_MONEY")
"""Every list, in the order of the morning."""

_SHOWN = (
    *WHO,
    *("plan_id", "account_id", "customer_id", "reference", "currency", "overdue_minor", "due_today_minor"),
    *(
        "fresh_pending_minor",
        "outstanding_minor",
        "missed_terms",
        "days_past_due",
        "next_due_date",
        "last_receipt_date",
    ),
)


def amount_of(word: str) -> str:
    """Return the column that a list is about."""
    return "due_today_minor" if word == "DUE_TODAY" else "overdue_minor"


def stands_on(word: str) -> pl.Expr:
    """Tell whether a plan stands on a list."""
    return pl.col("work_lists").str.contains(rf"\b{word}\b").fill_null(value=False)


@dataclass(slots=True)
class WorkLists:
    """Takes plans part by part.

    `sums` has one row per list and currency: `work_list, currency, plans, amount_minor`; `rows` the most pressing plans
    of each list. A list that nothing was told of is in neither.
    """

    sums: pl.DataFrame | None = None
    rows: dict[str, pl.DataFrame] = field(default_factory=dict)

    def add(self, word: str, plans: pl.DataFrame) -> None:
        """Take in the plans of one list; also none, which tells that the list is known to be empty."""
        amount = amount_of(word)
        sums = plans.select(
            pl.lit(word).alias("work_list"),
            "currency",
            plans=pl.lit(1, pl.Int64),
            amount_minor=pl.col(amount).cast(pl.Int128),
        )
        both = sums if self.sums is None else pl.concat([self.sums, sums])
        self.sums = both.group_by("work_list", "currency").agg(pl.col("plans", "amount_minor").sum())
        shown = plans.select(_SHOWN)
        self.rows[word] = _most_pressing(pl.concat([self.rows[word], shown]) if word in self.rows else shown, amount)


def _most_pressing(plans: pl.DataFrame, amount: str) -> pl.DataFrame:
    """Keep the first plans of each currency by amount, then by key: amounts of two currencies are never compared."""
    ordered = plans.lazy().sort("currency", pl.col(amount).neg(), *WHO, "plan_id", maintain_order=True)
    place = pl.int_range(pl.len()).over("currency")
    chosen = ordered.with_columns(place=place).sort("place", "currency", maintain_order=True).head(LISTED)
    return chosen.sort("currency", "place").drop("place").collect()
