"""The shortfall at which a term still counts as satisfied.

It decides states and days, never a balance.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

import polars as pl

from schemas.columns import MAX_MINOR
from schemas.currencies import DEFAULT_PLACES, EXPONENTS
from schemas.options import Options, Tolerance
from transforms.options import by_provider, providers_of
from transforms.segments import Segments

_WHOLE = 1_000_000
"""One hundred per cent, in ten-thousandths of a per cent."""


def tolerances(
    plans: pl.DataFrame, payable: pl.Series, segments: Segments, options: Mapping[str, Options]
) -> pl.Series:
    """Return each term's tolerance in minor units.

    A share of the payable amount is rounded down to a minor unit; an absolute one is
    in major units of the plan's currency, its part below a minor unit is dropped.

    Args:
        plans: One row per plan: `provider, currency`.
        payable: Amount less what was waived, per term; a negative one counts as 0.
        segments: Where each plan's terms lie.
        options: `Options` by provider.
    """
    if all(options[name].tolerance.mode == "EXACT" for name in providers_of(plans, options)):
        return pl.Series([0], dtype=pl.Int64).new_from_index(0, len(payable))
    rate = by_provider(plans, options, lambda option: _rate(option.tolerance), pl.Int64())
    floor = _by_currency(plans, options, lambda option, currency: _floor(option.tolerance, currency))
    ceiling = _by_currency(plans, options, lambda option, currency: _ceiling(option.tolerance, currency))
    # Split so that a share of the largest amount stays inside 64 bits.
    amount, share = payable.clip(lower_bound=0), segments.spread(rate)
    part = amount // _WHOLE * share + amount % _WHOLE * share // _WHOLE
    return part.clip(segments.spread(floor), segments.spread(ceiling))


def minor(amount: Decimal, currency: str) -> int:
    """Return an amount in major units of `currency` in minor units, rounded down."""
    return min(int(amount.scaleb(EXPONENTS.get(currency, DEFAULT_PLACES))), MAX_MINOR)


def minor_amounts(
    plans: pl.DataFrame, options: Mapping[str, Options], option: Callable[[Options], Decimal]
) -> pl.Series:
    """Return an option in major units of money as minor units of each plan's currency."""
    return _by_currency(plans, options, lambda own, currency: minor(option(own), currency))


def _rate(tolerance: Tolerance) -> int:
    share = int(tolerance.percent * 10_000) if tolerance.mode in {"PCT", "MAX", "MIN"} else 0
    return min(share, _WHOLE)


def _floor(tolerance: Tolerance, currency: str) -> int:
    if tolerance.mode == "CENT":
        return 1
    return minor(tolerance.absolute, currency) if tolerance.mode in {"ABS", "MAX"} else 0


def _ceiling(tolerance: Tolerance, currency: str) -> int:
    if tolerance.mode in {"PCT", "MAX"}:
        return MAX_MINOR
    if tolerance.mode == "CENT":
        return 1
    return minor(tolerance.absolute, currency) if tolerance.mode in {"ABS", "MIN"} else 0


def _by_currency(
    plans: pl.DataFrame, options: Mapping[str, Options], option: Callable[[Options, str], int]
) -> pl.Series:
    pairs = plans.select("provider", "currency")
    by_pair = pairs.unique().sort("provider", "currency")
    values = [option(options[provider], currency) for provider, currency in by_pair.iter_rows()]
    by_pair = by_pair.with_columns(pl.Series("value", values, dtype=pl.Int64))
    return pairs.join(by_pair, on=["provider", "currency"], how="left", validate="m:1", maintain_order="left")["value"]
