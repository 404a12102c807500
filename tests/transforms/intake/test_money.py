"""Decimal text becomes minor units exactly, or is refused with the reason."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.intake.money import places_of, to_minor, why_refused, within_bounds


def minor(written: str | None, currency: str | None) -> int | None:
    return to_minor(pl.Series([written], dtype=pl.String), places_of(pl.Series([currency], dtype=pl.String)))[0]


def reason(written: str, currency: str | None) -> str:
    return why_refused(pl.Series([written]), places_of(pl.Series([currency], dtype=pl.String)))[0]


@pytest.mark.fault(27)
@pytest.mark.parametrize(
    ("written", "currency", "expected"),
    [
        ("5182.00", "EUR", 518200),
        ("0", "EUR", 0),
        ("-0.00", "EUR", 0),
        ("-0.05", "EUR", -5),
        ("0.29", "EUR", 29),  # 28.99 in floats
        ("33.3400", "EUR", 3334),
        ("7", "EUR", 700),
        ("007.5", "EUR", 750),
        ("500.00", "JPY", 500),
        ("500", "JPY", 500),
        ("1.25", "KWD", 1250),
        ("0.0001", "CLF", 1),
        ("9999999999999.99", "EUR", 999_999_999_999_999),
        ("999999999999999", "JPY", 999_999_999_999_999),
        (None, "EUR", None),
    ],
)
def test_a_plain_decimal_is_read_to_the_last_unit(written, currency, expected):
    assert minor(written, currency) == expected


@pytest.mark.fault(27, 28)
@pytest.mark.parametrize(
    ("written", "currency", "code"),
    [
        ("1.005", "EUR", "FRACTION_OF_MINOR_UNIT"),
        ("0.5", "JPY", "FRACTION_OF_MINOR_UNIT"),
        ("1,50", "EUR", "NOT_A_DECIMAL"),
        ("1.234,50", "EUR", "NOT_A_DECIMAL"),
        ("1e2", "EUR", "NOT_A_DECIMAL"),
        ("NaN", "EUR", "NOT_A_DECIMAL"),
        ("Infinity", "EUR", "NOT_A_DECIMAL"),
        ("", "EUR", "NOT_A_DECIMAL"),
        (" 1.00", "EUR", "NOT_A_DECIMAL"),
        ("1_000.00", "EUR", "NOT_A_DECIMAL"),
        ("+1.00", "EUR", "NOT_A_DECIMAL"),
        ("1.", "EUR", "NOT_A_DECIMAL"),
        (".5", "EUR", "NOT_A_DECIMAL"),
        ("1.00\n", "EUR", "NOT_A_DECIMAL"),
        ("١٢٣", "EUR", "NOT_A_DECIMAL"),
        ("10000000000000.00", "EUR", "TOO_LARGE"),
        ("9" * 18, "JPY", "TOO_LARGE"),
        ("1.00", None, "UNKNOWN_CURRENCY"),
        ("1.00", "XXX", "UNKNOWN_CURRENCY"),
        ("1.00", "$", "UNKNOWN_CURRENCY"),
    ],
)
def test_anything_else_is_refused_and_never_rounded(written, currency, code):
    assert minor(written, currency) is None
    assert reason(written, currency) == code


def test_places_follow_iso_4217():
    codes = pl.Series(["EUR", "USD", "JPY", "KRW", "KWD", "BHD", "CLF", "EURO", None])
    assert places_of(codes).to_list() == [2, 2, 0, 0, 3, 3, 4, None, None]


def test_currencies_may_be_mixed_in_one_column():
    written = pl.Series(["1.00", "1.00", "1.00", "1.005", "1"])
    places = places_of(pl.Series(["EUR", "JPY", "KWD", "KWD", "XXX"]))
    assert to_minor(written, places).to_list() == [100, 1, 1000, 1005, None]


def test_minor_units_of_more_than_fifteen_digits_are_refused():
    assert within_bounds(pl.Series([10**15, 10**15 - 1, -(10**15), 0, None])).to_list() == [
        None,
        10**15 - 1,
        None,
        0,
        None,
    ]


@settings(deadline=None)
@given(st.lists(st.decimals(min_value=-(10**12), max_value=10**12, places=2), min_size=1, max_size=30))
def test_two_places_agree_with_exact_arithmetic(values):
    written = pl.Series([format(value, "f") for value in values])
    expected = [int(value * 100) for value in values]
    assert to_minor(written, pl.repeat(2, len(values), dtype=pl.Int64, eager=True)).to_list() == expected


@pytest.mark.fault(27)
@settings(deadline=None)
@given(st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,5})?", fullmatch=True), st.sampled_from([0, 2, 3, 4]))
def test_what_is_read_is_exactly_what_was_written_and_what_is_not_could_not_be(written, places):
    found = to_minor(pl.Series([written]), pl.Series([places]))[0]
    exact = Decimal(written) * 10**places
    is_readable = exact == int(exact) and abs(exact) < 10**15
    assert found == (int(exact) if is_readable else None)
