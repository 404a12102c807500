"""How figures of several currencies are said on the page: side by side, never added."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from reports.summary import PortfolioLine
from reports.texts import grouped
from schemas.currencies import in_minor, written

Row = Mapping[str, Any]
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
