"""Minor units as decimals, exactly: the unscaled integer is reread with the currency's places.

No division and no float is on the way. Text for readers is in `cells.py`.
"""

from collections.abc import Iterable

import polars as pl

from reports.errors import LayoutError
from schemas.currencies import EXPONENTS
from schemas.reports import Kind, Report

MOST_PLACES = 4
"""Places of money in Parquet; no currency has more."""
PPM_PLACES = 6


def places_in(report: Report, frame: pl.DataFrame) -> dict[int, list[str]]:
    """Return the currencies of `frame` by number of places.

    Raises:
        LayoutError: a currency is not in ISO 4217, or an amount has no currency beside it.
    """
    money = [name for name in report.of_kind(Kind.MONEY) if name in frame.columns]
    if "currency" not in frame.columns or frame.is_empty():
        return {}
    by_places: dict[int, list[str]] = {}
    for code in frame["currency"].unique().sort().to_list():
        if code is None:
            _refuse_money_without_currency(report, frame, money)
        elif code not in EXPONENTS:
            raise LayoutError(
                f"report {report.name!r}: currency {code!r} is not an ISO 4217 code we know the places of"
            )
        else:
            by_places.setdefault(EXPONENTS[code], []).append(code)
    return by_places


def decimals(report: Report, frame: pl.DataFrame) -> pl.DataFrame:
    """Return an arranged frame with the types of the report's Parquet file: money DECIMAL(20,4)."""
    by_places = places_in(report, frame)
    factor = _factor(by_places)
    columns = []
    for column in report.columns:
        if column.kind is Kind.MONEY:
            columns.append(_unscaled(pl.col(column.name), factor, MOST_PLACES).alias(column.name))
        elif column.kind is Kind.RATIO:
            columns.append(_unscaled(pl.col(column.name), 1, PPM_PLACES).alias(column.name))
        elif column.kind is Kind.TIERS:
            columns.append(_tiers(pl.col(column.name), by_places).alias(column.name))
        else:
            columns.append(pl.col(column.name).cast(column.kind.value))
    return frame.select(columns)


def with_places(amount: pl.Expr, places: int) -> pl.Expr:
    """Return minor units as a decimal with `places` places."""
    return _unscaled(amount, 1, places)


def is_of(codes: Iterable[str]) -> pl.Expr:
    """Tell whether the row's currency is one of `codes`."""
    return pl.col("currency").is_in(sorted(codes))


def _unscaled(amount: pl.Expr, factor: pl.Expr | int, places: int) -> pl.Expr:
    whole = amount.cast(pl.Int128)
    if not isinstance(factor, int) or factor != 1:
        whole = whole * factor
    # The same digits read as a decimal: the point moves without a division, so nothing is rounded.
    return whole.reinterpret(dtype=pl.Decimal(20, places))


def _factor(by_places: dict[int, list[str]]) -> pl.Expr | int:
    """Return what turns minor units into ten-thousandths: one number, or one per row where places differ."""
    if len(by_places) <= 1:
        return pl.lit(10 ** (MOST_PLACES - next(iter(by_places), MOST_PLACES)), pl.Int128)
    factor: pl.Expr = pl.lit(None, pl.Int128)
    for places, codes in sorted(by_places.items()):
        factor = pl.when(is_of(codes)).then(pl.lit(10 ** (MOST_PLACES - places), pl.Int128)).otherwise(factor)
    return factor


def _tiers(tiers: pl.Expr, by_places: dict[int, list[str]]) -> pl.Expr:
    shown: pl.Expr = pl.lit(None, Kind.TIERS.value)
    for places, codes in sorted(by_places.items()):
        shown = pl.when(is_of(codes)).then(tiers.list.eval(_tier(places))).otherwise(shown)
    return shown


def _tier(places: int) -> pl.Expr:
    factor = pl.lit(10 ** (MOST_PLACES - places), pl.Int128)
    money = {name: pl.element().struct.field(f"{name}_minor") for name in ("minimum", "maximum", "restricted_minimum")}
    shown = {name: _unscaled(amount, factor, MOST_PLACES).alias(name) for name, amount in money.items()}
    count = pl.element().struct.field("payment_count")
    return pl.struct(shown["minimum"], shown["maximum"], count, shown["restricted_minimum"])


def _refuse_money_without_currency(report: Report, frame: pl.DataFrame, money: list[str]) -> None:
    bare = frame.filter(pl.col("currency").is_null())
    named = [name for name in money if bare[name].null_count() < bare.height]
    if named:
        raise LayoutError(f"report {report.name!r}: {', '.join(named)} hold amounts in rows without a currency")
