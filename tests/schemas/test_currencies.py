"""Money as text has the places of its currency."""

import polars as pl
import pytest

from schemas.currencies import plain


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (0, "EUR", "0.00"),
        (-5, "EUR", "-0.05"),
        (123456, "EUR", "1234.56"),
        (500, "JPY", "500"),
        (-7, "JPY", "-7"),
        (1250, "KWD", "1.250"),
        (10001, "CLF", "1.0001"),
        (199, "???", "1.99"),
        (199, None, "1.99"),
        (None, "EUR", None),
    ],
)
def test_money_is_written_with_the_places_of_its_currency(minor, currency, text):
    row = pl.DataFrame({"minor": [minor], "currency": [currency]}, schema={"minor": pl.Int64, "currency": pl.String})
    assert row.select(plain(pl.col("minor"), pl.col("currency"))).item() == text
