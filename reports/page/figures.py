"""How figures of several currencies are said on the page: side by side, never added."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from reports.before import MOST_POINTS
from reports.summary import PortfolioLine
from reports.texts import grouped
from schemas.currencies import in_minor, written

Row = Mapping[str, Any]
_WIDTH, _HEIGHT = 120, 24
"""Room of a line of points; it is drawn in whole units, so that the same values give the same line."""
MOST_MONEY = 4
"""Currencies named in one sentence."""


def by_currency(portfolio: Sequence[PortfolioLine], name: str) -> dict[str, int]:
    """Return one amount of the portfolio in minor units, by currency in the order of their codes."""
    return total((line.currency, getattr(line, name)) for line in portfolio)


def total(amounts: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return amounts, as written, added up by currency in minor units."""
    sums: dict[str, int] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, 0) + minor(amount, currency)
    return dict(sorted(sums.items()))


def minor(amount: str, currency: str) -> int:
    """Return an amount as written in minor units of its currency."""
    return in_minor(Decimal(amount), currency) or 0


def money(sums: Mapping[str, int], *, none: str = "nothing") -> str:
    """Say what is not zero of some sums: `EUR 1,200.00 and USD 5.00`."""
    said = [f"{currency} {amount(sum_, currency)}" for currency, sum_ in sums.items() if sum_]
    left = len(said) - MOST_MONEY
    if left > 0:
        said = [*said[:MOST_MONEY], f"{left} more {'currency' if left == 1 else 'currencies'}"]
    return " and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else "".join(said) or none


def amount(minor_units: int | None, currency: str | None) -> str:
    """Write minor units with the currency's places and commas; unknown is empty."""
    return "" if minor_units is None else grouped(written(minor_units, currency or ""))


def spark(values: Sequence[int | None]) -> str | None:
    """Return the points of a line over the last values, the newest last; unknown ones are left out, of fewer than two there is none."""
    known = [value for value in values[-MOST_POINTS:] if value is not None]
    if len(known) < 2:  # noqa: PLR2004
        return None
    low, span = min(known), max(known) - min(known)
    step = len(known) - 1
    points = (
        (_WIDTH * at // step, _HEIGHT - 2 - ((_HEIGHT - 4) * (value - low) // span if span else _HEIGHT // 2))
        for at, value in enumerate(known)
    )
    return " ".join(f"{across},{down}" for across, down in points)
