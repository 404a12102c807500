"""Give every provider's received rows one shape: the canonical staged frames.

Rename, cast and find repeats in SQL (`stg/`), union the providers (`core/`).
What is right or wrong about a row is decided in `transforms.intake`; nothing is
written to the warehouse here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb
import polars as pl


@dataclass(frozen=True, slots=True)
class StageOptions:
    """What the rows of one tenant do not say themselves.

    `timezone` makes civil dates of timestamps. `currency` is the tenant's, null
    where rows carry a symbol, which `currency_symbols` turns into an ISO code.
    For Payt the administration's own row, if received, wins over both.
    """

    provider: str
    tenant_id: str
    timezone: str
    fetched_on: date
    currency: str | None = None
    currency_symbols: Mapping[str, str] = field(default_factory=dict)


def received(pages: Iterable[tuple[int, Mapping[str, Mapping[str, Sequence[Any]]]]]) -> dict[str, pl.DataFrame]:
    """Return one typed frame per received table from (page_no, decoded tables) of a tenant's pages.

    Tables that no page brought are there, empty.
    """
    raise NotImplementedError


def stage(
    con: duckdb.DuckDBPyConnection, received: Mapping[str, pl.DataFrame], options: StageOptions
) -> dict[str, pl.DataFrame]:
    """Return the staged frames of one tenant: plans, terms, payments, accounts, policies, plan_accounts, deletions, rows.

    Natural keys and ids as text, money as the provider wrote it (`…` decimal text or `…_units` integer), dates
    civil, repeats within the fetch marked by `is_repeat` (newest by updated time, page, position wins).
    Missing tables count as empty. Temporary tables only.
    """
    raise NotImplementedError
