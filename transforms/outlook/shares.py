"""Shares of money and of counts, exact: 128 bits, because a million times a sum does not fit into 64."""

import polars as pl

_MILLION = 1_000_000


def share_ppm(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Return `part` over `whole` in parts per million, half up; null where `whole` is 0 or null. Neither is below 0."""
    base = pl.when(whole > 0).then(whole.cast(pl.Int128))
    return ((part.cast(pl.Int128) * 2 * _MILLION + base) // (base * 2)).cast(pl.Int64)


def part_of(money: pl.Expr, share: pl.Expr) -> pl.Expr:
    """Return `share` parts per million of `money` in minor units, half to even; null where `share` is."""
    exact = money.cast(pl.Int128) * share.cast(pl.Int128)
    whole, rest = exact // _MILLION, exact % _MILLION * 2
    # Exactly a half goes to the even neighbour, so that many halves do not add up to an error of one direction.
    is_up = (rest > _MILLION) | ((rest == _MILLION) & (whole % 2 == 1))
    return (whole + is_up.cast(pl.Int128)).cast(pl.Int64)
