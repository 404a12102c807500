"""Fetch every tenant of every provider, several at a time: which tenants there are, and from when each is asked."""

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flows import log
from flows.errors import SecretError, SettingsError
from flows.settings import ProviderSettings
from flows.sources import connect, refuse_another_environment, wanted_tenants
from flows.steps.pull import Failures, Fault, Pulled, Source, Unsure, pull_source
from flows.steps.request import ThisRun
from flows.steps.runners import Runner
from flows.steps.written import plans_written
from providers import PROVIDERS
from providers.base import Client, Page
from providers.errors import ProviderError
from sql.core.ledger import watermarks, whole_pages
from sql.moving import Owners, moving_owners
from sql.quarantine import refused_pages
from sql.runs import held_by_change
from sql.warehouse import Warehouse

FULL_AFTER = timedelta(days=60)
"""A gap longer than this is closed by a full fetch: a provider's list of deletions ends after 90 days."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What is known of the earlier fetches of one tenant: where each sweep may start, and how long each list was.

    A start that is null or missing asks for everything. `owners` are the accounts to ask for again, null for all;
    `unsure` those to ask for more than their first page, null asks all of them for everything.
    """

    since: Mapping[str, datetime | None]
    last_pages: Mapping[str, int]
    owners: Owners | None = None
    unsure: Unsure | None = None


def fetched_before(this: ThisRun, warehouse: Warehouse) -> dict[tuple[str, str], Fetched]:
    """Return what is known of each tenant loaded before; empty if a full fetch was requested.

    After a fetch with a change too large to be believed, everything is fetched again.
    """
    if this.request.full:
        return {}
    doubted = held_by_change(warehouse.con)
    return {
        (provider, tenant): _fetched_before(this, warehouse, provider, tenant, is_doubted=provider in doubted)
        for provider, tenant in warehouse.tenants()
    }


def _fetched_before(this: ThisRun, warehouse: Warehouse, provider: str, tenant: str, *, is_doubted: bool) -> Fetched:
    con = warehouse.con
    told = {} if is_doubted else watermarks(con, provider, tenant)
    starts = {sweep: _start(this, since, full_at) for sweep, (since, full_at) in told.items()}
    pages = whole_pages(con, provider, tenant)
    if not PROVIDERS[provider].account_columns:
        return Fetched(starts, pages)
    moving = moving_owners(con, this.landing, provider, tenant, as_of=this.as_of)
    written = plans_written(warehouse.state_dir, provider, tenant, since=this.started_at - FULL_AFTER)
    if this.request.refresh or moving is None or written is None:
        return Fetched(starts, pages, moving if this.request.refresh else None)
    return Fetched(starts, pages, unsure=Unsure(moving, written, refused_pages(con, provider, tenant)))


def _start(this: ThisRun, since: datetime | None, full_at: datetime | None) -> datetime | None:
    if since is None or full_at is None:
        return None
    if max(since, full_at) > this.started_at:
        return None  # a clock was wrong, then or now: what lies between is not known
    is_due = this.started_at - full_at >= timedelta(days=this.settings.run.full_sweep_days)
    return None if is_due or this.started_at - since >= FULL_AFTER else since


def fetch(
    this: ThisRun,
    sections: Mapping[str, ProviderSettings],
    before: Mapping[tuple[str, str], Fetched],
    runner: Runner,
    known: Collection[tuple[str, str]],
) -> tuple[list[Pulled], Failures]:
    """Fetch every tenant of every provider; return what can be loaded, and why something did not come in whole.

    `known` are the tenants (provider, tenant) loaded before; a provider that shows none of its own is not read.
    """
    failures: Failures = {}
    with contextlib.ExitStack() as stack:
        clients: dict[str, Client] = {}
        for name, section in sections.items():
            try:
                client = connect(name, section, state_dir=this.settings.warehouse.state_dir)
                clients[name] = stack.enter_context(client)
            except (ProviderError, SecretError) as error:
                failures[name, ""] = _told(error)
        pages = _listed(sections, clients, failures, runner, known)
        sources = {str(source): source for source in sorted(pages, key=str)}

        def pull_one(name: str) -> Pulled:
            source = sources[name]
            last_fetch = before.get(source, Fetched({}, {}))
            return pull_source(
                clients[source.provider],
                source,
                this.landing,
                since=last_fetch.since,
                tenants=pages[source],
                last_pages=last_fetch.last_pages,
                owners=last_fetch.owners,
                unsure=last_fetch.unsure,
            )

        after = {name: f"list tenants {source.provider}" for name, source in sources.items()}
        pulled = list(runner.each("pull", pull_one, list(sources), after=after))
    for pull in pulled:
        if pull.failure is not None:
            failures[pull.source] = Fault(pull.failure.code, str(pull.failure))
        elif pull.faults:
            told = "; ".join(fault.text for fault in pull.faults)
            failures[pull.source] = Fault(pull.code, f"{pull.source} is incomplete: {told}")
    return sorted((pull for pull in pulled if pull.is_loadable), key=lambda pull: str(pull.source)), failures


def _listed(
    sections: Mapping[str, ProviderSettings],
    clients: Mapping[str, Client],
    failures: Failures,
    runner: Runner,
    known: Collection[tuple[str, str]],
) -> dict[Source, tuple[Page, ...]]:
    """Return the tenants to pull, each with the pages that listed it; add to `failures` the providers that list none."""

    def ask(name: str) -> tuple[str, tuple[Page, ...] | ProviderError]:
        try:
            return name, tuple(clients[name].tenants())
        except ProviderError as error:
            return name, error

    listed: dict[Source, tuple[Page, ...]] = {}
    for name, answer in runner.each("list tenants", ask, list(clients)):
        try:
            if isinstance(answer, ProviderError):
                raise answer
            tenants = wanted_tenants(name, sections[name], PROVIDERS[name].tenant_ids(answer) if answer else None)
            own = {tenant for provider, tenant in known if provider == name}
            refuse_another_environment(name, sections[name], tenants, own)
        except (ProviderError, SettingsError) as error:
            failures[name, ""] = _told(error)
        else:
            listed |= {Source(name, tenant): answer for tenant in tenants}
    return listed


def _told(error: ProviderError | SecretError | SettingsError) -> Fault:
    log.LOGGER.error("%s", error)
    return Fault(error.code, str(error))
