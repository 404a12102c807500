"""The options of each provider, as one value per row.

Options live in `schemas.options`; which of them applies to a row is decided by its
provider alone.
"""

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from schemas.options import Options


class MissingOptionsError(KeyError):
    """Plans of a provider were given, but no options for it."""

    def __init__(self, providers: Iterable[str]) -> None:
        """Name the providers."""
        super().__init__(f"no options for provider {', '.join(sorted(providers))}; pass one `Options` per provider")


def providers_of(frame: pl.DataFrame, options: Mapping[str, Options]) -> list[str]:
    """Return the providers in `frame`, in order.

    Raises:
        MissingOptionsError: one of them has no options.
    """
    provider = frame["provider"]
    is_one = len(provider) > 0 and (provider == provider.first()).all()
    names: list[str] = provider.head(1).to_list() if is_one else provider.unique().sort().to_list()
    if missing := set(names) - options.keys():
        raise MissingOptionsError(missing)
    return names


def by_provider(
    rows: pl.DataFrame,
    options: Mapping[str, Options],
    option: Callable[[Options], int | str | bool],
    dtype: pl.DataType,
) -> pl.Series:
    """Return the value of `option` for each row's `provider`, in the order of `rows`."""
    if rows.is_empty():
        return pl.Series([], dtype=dtype)
    values = {name: option(options[name]) for name in providers_of(rows, options)}
    if len(set(values.values())) == 1:
        return pl.Series([*values.values()][:1], dtype=dtype).new_from_index(0, rows.height)
    return rows["provider"].replace_strict(values, return_dtype=dtype)
