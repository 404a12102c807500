"""The order of a run, once, for the flow and for the command: pull, load, compute, check, publish."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from flows import clock, log
from flows.errors import NothingRead, UsageError
from flows.loading import load_id, load_snapshot
from flows.publish import Publication, publish
from flows.pull import Pulled, Source, pull_source, pull_tenants
from flows.runners import Runner
from flows.settings import ProviderSettings, Settings
from flows.sources import chosen, connect, tenant_of
from providers.base import Client
from providers.errors import ProviderError
from schemas import VERSION
from sql import images
from sql.landing import Landing
from sql.lock import run_lock
from sql.recovery import recover
from sql.runs import known_load
from sql.warehouse import Warehouse
from sql.witness import Witness

REPULL_DAYS = 60
"""A gap longer than this is closed by a full fetch: a provider's list of deletions may end earlier."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to do: the settings, the as-of date (today where null), the providers to pull (all where empty)."""

    settings: Settings
    as_of: date | None = None
    providers: tuple[str, ...] = ()
    known_at: datetime | None = None
    fail_on: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended, for the exit code, the artifacts and the terminal."""

    run_id: str
    state: str
    exit_code: int
    folder: str
    first_line: str
    text: str = field(repr=False)
    breaks: list[dict[str, str]] = field(repr=False, default_factory=list)

    @property
    def headline(self) -> str:
        """Name the run's state for an orchestrator: clean, with breaks, or held."""
        if self.state == "HELD":
            return "Held"
        return "CompletedWithBreaks" if self.exit_code else "Completed"


def reconcile_portfolio(request: Request, runner: Runner) -> Finished:
    """Pull the providers, load what came, publish the reports.

    Raises:
        NothingRead: no provider could be read.
        Busy: another run holds the lock.
    """
    settings = request.settings
    sections = chosen(settings, request.providers)
    with begin(request) as run:
        with Warehouse.open(settings.warehouse.path, state_dir=settings.warehouse.state_dir) as warehouse:
            run.load_leftovers(warehouse)
            since = {source: value for source, value in run.watermarks(warehouse).items()}
        pulled, failures = run.pull(sections, since, runner)
        with Warehouse.open(settings.warehouse.path, state_dir=settings.warehouse.state_dir) as warehouse:
            failures |= run.load(warehouse, pulled, runner)
            if len(failures) == len(sections):
                raise NothingRead("; ".join(failures.values()))
            finished = runner.call("publish", lambda: run.publish(warehouse, failures=failures, fetched=frozenset((one.source.provider, one.source.tenant_id) for one in pulled)))
    runner.show("planrecon-summary", markdown=f"```\n{finished.text}\n```")
    runner.show("planrecon-breaks", table=finished.breaks)
    return finished


def report_portfolio(request: Request) -> Finished:
    """Publish again from the warehouse alone; no network."""
    settings = request.settings
    if not settings.warehouse.path.is_file():
        raise UsageError(f"there is no warehouse at {str(settings.warehouse.path)!r}; call `planrecon run` first")
    with begin(request) as run, Warehouse.open(settings.warehouse.path, state_dir=settings.warehouse.state_dir) as warehouse:
        return run.publish(warehouse, failures={}, fetched=frozenset())


@dataclass(slots=True)
class Run:
    """One run in this process: who it is, when it began, where its files lie."""

    request: Request
    run_id: str
    as_of: date
    started_at: datetime
    landing: Landing
    witness: Witness

    @property
    def settings(self) -> Settings:
        """The settings of the run."""
        return self.request.settings

    def load_leftovers(self, warehouse: Warehouse) -> None:
        """Load finished snapshots that an earlier run fetched and did not come to load, oldest first."""
        known = warehouse.load_ids()
        configured = self.settings.providers.configured()
        for facts in self.landing.snapshots():
            section = configured.get(facts.provider)
            if facts.is_finished and section is not None and load_id(facts) not in known:
                self._load_one(warehouse, facts.id, section)

    def _load_one(self, warehouse: Warehouse, snapshot_id: str, section: ProviderSettings) -> None:
        load_snapshot(
            warehouse.con,
            self.landing,
            self.landing.find(snapshot_id),
            section,
            loaded_at=clock.now(),
            overlap=timedelta(minutes=self.settings.run.overlap_minutes),
            witness=self.witness,
        )

    def watermarks(self, warehouse: Warehouse) -> dict[Source, dict[str, datetime | None]]:
        """Return, per tenant loaded before, where each sweep may start; null asks for everything."""
        return {
            Source(provider, tenant): {
                sweep: self._start(since, full_at)
                for sweep, (since, full_at) in images.watermarks(warehouse.con, provider, tenant).items()
            }
            for provider, tenant in warehouse.tenants()
        }

    def _start(self, since: datetime | None, full_at: datetime | None) -> datetime | None:
        if since is None or full_at is None:
            return None
        is_due = self.started_at - full_at >= timedelta(days=self.settings.run.full_sweep_days)
        is_far = self.started_at - since >= timedelta(days=REPULL_DAYS)
        return None if is_due or is_far else since

    def pull(
        self, sections: Mapping[str, ProviderSettings], since: Mapping[Source, Mapping[str, datetime | None]], runner: Runner
    ) -> tuple[list[Pulled], dict[str, str]]:
        """Fetch every tenant of every provider, several at a time; return what came, and why a provider did not."""
        failures: dict[str, str] = {}
        pulled: list[Pulled] = []
        with contextlib.ExitStack() as open_clients:
            clients: dict[str, Client] = {}
            for name, section in sections.items():
                try:
                    clients[name] = open_clients.enter_context(connect(name, section, state_dir=self.settings.warehouse.state_dir))
                except ProviderError as error:
                    failures[name] = str(error)
            sources: list[Source] = []
            for name, found in runner.each("discover", lambda name: self._discover(name, sections[name], clients[name]), list(clients)):
                if isinstance(found, ProviderError):
                    failures[name] = str(found)
                else:
                    sources += found
            by_name = {str(source): source for source in sorted(sources, key=str)}
            for one in runner.each("pull", lambda name: pull_source(clients[by_name[name].provider], by_name[name], self.landing, since=since.get(by_name[name], {})), list(by_name)):
                pulled.append(one)
                if one.failure is not None:
                    failures.setdefault(one.source.provider, str(one.failure))
        return sorted((one for one in pulled if one.is_loadable), key=lambda one: str(one.source)), failures

    def _discover(self, name: str, section: ProviderSettings, client: Client) -> tuple[str, list[Source] | ProviderError]:
        try:
            tenants = pull_tenants(client, name, self.landing)
        except ProviderError as error:
            return name, error
        return name, [Source(name, tenant) for tenant in tenants or [tenant_of(name, section)]]

    def load(self, warehouse: Warehouse, pulled: Sequence[Pulled], runner: Runner) -> dict[str, str]:
        """Load the snapshots in a fixed order; return the providers whose pages broke their contract."""
        failures: dict[str, str] = {}
        configured = self.settings.providers.configured()
        for facts in self.landing.snapshots():
            section = configured.get(facts.provider)
            if not facts.is_finished or section is None or load_id(facts) in warehouse.load_ids():
                continue
            try:
                runner.call(f"load {facts.provider}/{facts.tenant_id}", self._load_one, warehouse, facts.id, section)
            except (ContractError, ConservationError) as error:
                failures[facts.provider] = f"{facts.provider}/{facts.tenant_id}: {error}"
        return failures
