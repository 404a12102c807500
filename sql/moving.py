"""Find the accounts whose money may be moving, by what was asked when they were last seen."""

from collections.abc import Mapping
from datetime import date, timedelta

import duckdb

from sql.errors import Damaged
from sql.scripts import statements
from sql.storage.landing import Landing

NEAR = timedelta(days=3)
"""How far from the date a term may be due for its payment to be on the move."""

Owners = tuple[Mapping[str, str], ...]
"""The contexts of the pages that showed the accounts: how each was asked for."""


def moving_owners(
    con: duckdb.DuckDBPyConnection, landing: Landing, provider: str, tenant_id: str, *, as_of: date
) -> Owners | None:
    """Return how to ask for the accounts with pending money, or with a term due within three days of the date.

    Of a tenant that is asked account by account; of another there are none. Null where the landing no longer tells how
    one of them was asked for: then all must be.
    """
    wanted = {"provider": provider, "tenant_id": tenant_id, "first": as_of - NEAR, "last": as_of + NEAR}
    places: dict[str, list[int]] = {}
    for snapshot_id, page_no in con.sql(statements("queries/moving_accounts.sql"), params=wanted).fetchall():
        places.setdefault(snapshot_id, []).append(page_no)
    owners: dict[frozenset[tuple[str, str]], Mapping[str, str]] = {}
    for snapshot_id, numbers in places.items():
        try:
            contexts = [one.page.context for _, one in landing.listed(snapshot_id)]
        except Damaged:
            return None
        owners |= {frozenset(contexts[number].items()): contexts[number] for number in numbers}
    return tuple(owners.values())
