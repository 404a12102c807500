"""How many places a currency has, and how its money is written.

The list is ISO 4217's active codes. Symbols do not belong here: which code a
symbol means is a setting.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

import polars as pl

DEFAULT_PLACES = 2
"""Places of a currency that is not listed with another number."""

_PLACES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
        "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG "
        "HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR "
        "MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD "
        "SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD "
        "XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

EXPONENTS: Mapping[str, int] = MappingProxyType(
    {code: places for places, codes in _PLACES.items() for code in codes.split()}
)
"""ISO 4217 code to the number of places of its minor unit."""
_OTHERS = {code: places for code, places in EXPONENTS.items() if places != DEFAULT_PLACES}


def in_minor(amount: Decimal, currency: str | None) -> int | None:
    """Return an amount of major units in minor ones; null where it has more places than the currency."""
    scaled = amount.scaleb(EXPONENTS.get(currency or "", DEFAULT_PLACES))
    return int(scaled) if scaled == scaled.to_integral_value() else None


def in_major(minor: int, currency: str | None) -> Decimal:
    """Return minor units in major ones, with the currency's places; exact for any number of digits."""
    return Decimal(f"{minor}e-{EXPONENTS.get(currency or '', DEFAULT_PLACES)}")


def written(minor: int, currency: str | None) -> str:
    """Write minor units as a plain decimal with the currency's places: `-0.05`, `500`, `1.250`."""
    return f"{in_major(minor, currency):f}"


def places(currency: pl.Expr) -> pl.Expr:
    """Return the number of places of each currency code; two where it is unknown or null."""
    return currency.replace_strict(_OTHERS, default=DEFAULT_PLACES, return_dtype=pl.Int64)


def plain(minor: pl.Expr, currency: pl.Expr) -> pl.Expr:
    """Write minor units as a plain decimal with the currency's places: `-0.05`, `500`, `1.250`; null stays null."""
    size, digits = minor.abs(), places(currency)
    unit = pl.lit(10, dtype=pl.Int64).pow(digits)
    whole, rest = (size // unit).cast(pl.String), (size % unit).cast(pl.String).str.zfill(digits)
    written = pl.when(digits == 0).then(whole).otherwise(pl.concat_str(whole, pl.lit("."), rest))
    return pl.when(minor < 0).then(pl.concat_str(pl.lit("-"), written)).otherwise(written)


def minor_units(money: str) -> pl.Expr:
    """Return column `money` of stored reports, in major units with four places, in minor units of the `currency` beside it."""
    # A ten-thousandth is the unit that is stored; no currency has more places, so nothing is lost.
    unscaled = pl.col(money).cast(pl.Decimal(38, 4)).to_physical()
    scale = {code: 10 ** (4 - places) for code, places in EXPONENTS.items()}
    unit = pl.col("currency").replace_strict(scale, default=10 ** (4 - DEFAULT_PLACES), return_dtype=pl.Int128)
    minor: pl.Expr = (unscaled // unit).cast(pl.Int64)
    return minor
