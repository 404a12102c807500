"""What was known of some plans at one moment, and which rows of it are others at a later one.

A cause is one row by its key: an account, a plan, a link, a term, a payment, or the pauses of a plan, as it was known
before and as it is known now. Which figures it moves is computed in `effects.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

KEYS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account_no",),
    "plans": ("plan_no",),
    "plan_accounts": ("plan_no", "account_no"),
    "terms": ("plan_no", "term_id"),
    "payments": ("payment_no",),
    "pauses": ("plan_no",),
}
"""Which columns name a row of each entity, in the order in which the causes of one load are applied."""

_UNTOLD = ("told_on", "updated_on", "reference")
"""Columns that no reader is told of: they say when, not what."""


@dataclass(frozen=True, slots=True)
class Facts:
    """`ACCOUNTS`, `PLANS`, `PLAN_ACCOUNTS`, `TERMS`, `PAYMENTS` and `PAUSES` (those that stop days) at one moment."""

    accounts: pl.DataFrame
    plans: pl.DataFrame
    plan_accounts: pl.DataFrame
    terms: pl.DataFrame
    payments: pl.DataFrame
    pauses: pl.DataFrame

    def of(self, entity: str) -> pl.DataFrame:
        """Return the rows of one entity."""
        frame: pl.DataFrame = getattr(self, entity)
        return frame

    @property
    def links(self) -> pl.DataFrame:
        """Return `plan_no` and `linked_payment_no` of every term that names the payment which paid it, each pair once."""
        return (
            self.terms.select("plan_no", "linked_payment_no").drop_nulls().unique().sort("plan_no", "linked_payment_no")
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows of one entity at two moments: `kept` in both, `gone` as they were before only, `come` as they are now only."""

    kept: pl.DataFrame
    gone: pl.DataFrame
    come: pl.DataFrame

    def keys(self, entity: str) -> pl.DataFrame:
        """Return the key of every row that is another now, each once."""
        key = KEYS[entity]
        return pl.concat([self.gone.select(key), self.come.select(key)]).unique(maintain_order=True)


def changes_of(old: pl.DataFrame, new: pl.DataFrame) -> Changes:
    """Return how the rows of `new` differ from those of `old`; columns are compared by value, null with null.

    Example: a payment of 60.00 that was received and is reversed now is one row in `gone`, one in `come`.
    """
    names = old.columns
    return Changes(
        kept=old.join(new, on=names, how="semi", nulls_equal=True, maintain_order="left"),
        gone=old.join(new, on=names, how="anti", nulls_equal=True, maintain_order="left"),
        come=new.join(old, on=names, how="anti", nulls_equal=True, maintain_order="left"),
    )


def differing(before: Mapping[str, object] | None, after: Mapping[str, object]) -> Iterator[tuple[str, object, object]]:
    """Yield name, old and new value of each column that says something else; of a row that came, each that says something."""
    for name, new in after.items():
        old = before[name] if before else None
        if old != new and not name.endswith("_no") and name not in _UNTOLD:
            yield name, old, new
