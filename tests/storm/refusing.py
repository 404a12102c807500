"""Programs that refuse rows which the next version can read."""

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
import pytest

from transforms.intake import held


@contextmanager
def unreadable_payment(payment: str) -> Iterator[None]:
    """A program that reads neither amount nor dates of one payment."""
    admit_parts = held.admit_parts

    def spoil(staged):
        is_it = pl.col("payment_id") == payment
        nothing = ("amount_units", "effective_date", "created_on")
        spoilt = staged["payments"].with_columns(
            pl.when(is_it).then(pl.lit("1.2.3")).otherwise("amount").alias("amount"),
            *(pl.when(~is_it).then(name).alias(name) for name in nothing),
        )
        return {**staged, "payments": spoilt}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held, "admit_parts", lambda parts, **rest: admit_parts(map(spoil, parts), **rest))
        yield
