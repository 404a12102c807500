"""A load: one sealed snapshot of one tenant on its way into the warehouse, and its result."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

import polars as pl

from sql.scripts import seed

_SHARED = {"terms": "plans", "policies": "accounts"}
"""Entities without pages of their own come with those of another."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """How one sweep of the load went; `since` null asked for everything, `rows` counts rejected ones too.

    `started_clock` is the provider's clock at the first answer that told it, `started_at` ours then.
    """

    name: str
    since: datetime | None
    complete: bool
    reason: str
    pages: int
    rows: int
    started_clock: datetime | None
    started_at: datetime | None = None

    def skew_seconds(self) -> int | None:
        """Return by how much the provider's clock was ahead of ours, below zero where behind; null where unknown."""
        if self.started_clock is None or self.started_at is None:
            return None
        return round((self.started_clock - self.started_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Load:
    """One sealed snapshot of one tenant on its way in; `loaded_at` is the moment its rows become known."""

    load_id: str
    provider: str
    tenant_id: str
    snapshot_id: str
    fetched_at: datetime
    fetched_on: date
    loaded_at: datetime
    sweeps: tuple[Sweep, ...]
    schema_version: int
    overlap: timedelta = timedelta(minutes=15)
    is_replay: bool = False

    @property
    def full_sweeps(self) -> frozenset[str]:
        """Return the sweeps that asked for everything and reached the provider's end: only there a missing row is gone."""
        return frozenset(sweep.name for sweep in self.sweeps if sweep.since is None and sweep.complete)

    @property
    def mode(self) -> str:
        """Return REPLAY for rows refused before, FULL if every sweep asked for everything, else CHANGES."""
        if self.is_replay:
            return "REPLAY"
        return "FULL" if all(sweep.since is None for sweep in self.sweeps) else "CHANGES"

    def is_complete(self, entity: str) -> bool:
        """Tell whether every sweep that feeds `entity` reached the provider's end."""
        complete = {sweep.name for sweep in self.sweeps if sweep.complete}
        return sweeps_of(self.provider, entity) <= complete


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did: its number and, per entity and currency, rows and money; `is_new` false: known before."""

    load_no: int
    is_new: bool
    counts: pl.DataFrame


@cache
def sweeps_of(provider: str, entity: str) -> frozenset[str]:
    """Return the sweeps that bring rows of `entity`."""
    page_entities = seed(provider, "page_entities")
    feeds = page_entities.filter((pl.col("entity") == entity) | (pl.col("child_entity") == entity))["sweep"]
    if feeds.is_empty() and entity in _SHARED:
        return sweeps_of(provider, _SHARED[entity])
    return frozenset(feeds)
