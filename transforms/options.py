"""The options of each provider, as one value per row.

Options live in `schemas.rules`; which of them applies to a row is decided by its
provider alone.
"""

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from schemas.rules import Rules


class MissingRulesError(KeyError):
    """Plans of a provider were given, and no rules for it."""

    def __init__(self, providers: Iterable[str]) -> None:
        """Name the providers."""
        super().__init__(f"no rules for provider {', '.join(sorted(providers))}; pass one `Rules` per provider")


def providers_of(frame: pl.DataFrame, rules: Mapping[str, Rules]) -> list[str]:
    """Return the providers in `frame`, in order.

    Raises:
        MissingRulesError: one of them has no rules.
    """
    provider = frame["provider"]
    is_one = len(provider) > 0 and (provider == provider.first()).all()
    names: list[str] = provider.head(1).to_list() if is_one else provider.unique().sort().to_list()
    if missing := set(names) - rules.keys():
        raise MissingRulesError(missing)
    return names


def by_provider(
    rows: pl.DataFrame, rules: Mapping[str, Rules], option: Callable[[Rules], int | str | bool], dtype: pl.DataType
) -> pl.Series:
    """Return `option` of the rules of each row's `provider`, in the order of `rows`."""
    if rows.is_empty():
        return pl.Series([], dtype=dtype)
    values = {name: option(rules[name]) for name in providers_of(rows, rules)}
    if len(set(values.values())) == 1:
        return pl.Series([*values.values()][:1], dtype=dtype).new_from_index(0, rows.height)
    return rows["provider"].replace_strict(values, return_dtype=dtype)
