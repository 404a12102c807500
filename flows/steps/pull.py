"""Fetch one tenant's pages into the landing as sealed sweeps, not parsed and not loaded yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from flows import clock, log
from flows.live import came
from providers.base import Client, Page, SweepRequest
from providers.errors import NotPermitted, ProviderError, Refused
from providers.http.answers import UNAUTHORISED
from sql.moving import Owners
from sql.storage.landing import Landing, Snapshot

TENANT_LIST = "administrations"
"""Sweep that holds the provider's own list of tenants, in the snapshot of each of them."""


PARTLY = "a refresh asked for {} accounts only"
"""Why a sweep that went well is not complete."""


class Source(NamedTuple):
    """One tenant of one provider."""

    provider: str
    tenant_id: str

    def __str__(self) -> str:
        """Name the source in progress lines and task names."""
        return f"{self.provider}/{self.tenant_id}"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a sweep, a tenant or a whole provider did not come in: the stable code and the sentence."""

    code: str
    text: str


Failures = dict[tuple[str, str], Fault]
"""Provider and tenant to why it did not come in; a provider as a whole has no tenant."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one fetch brought: a finished snapshot, or the failure that left it unfinished."""

    source: Source
    snapshot_id: str
    pages: int = 0
    size: int = 0
    failure: ProviderError | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def is_loadable(self) -> bool:
        """Tell whether the snapshot is finished."""
        return self.failure is None

    @property
    def code(self) -> str:
        """Return the code of what kept the fetch from being whole: missing permission before all others."""
        codes = [fault.code for fault in self.faults]
        return NotPermitted.code if NotPermitted.code in codes else codes[0]


def pull_source(
    client: Client,
    source: Source,
    landing: Landing,
    *,
    since: Mapping[str, datetime | None],
    tenants: Sequence[Page] = (),
    last_pages: Mapping[str, int] | None = None,
    owners: Owners | None = None,
) -> Pulled:
    """Fetch every sweep of one tenant, resuming an unfinished snapshot.

    A sweep that fails after its first page, or is refused on its own, is sealed as
    incomplete and the next one is tried. Where no page comes at all, the provider
    cannot be read: the snapshot stays open for the next run. `tenants` are the pages
    that told of this tenant, zone and currency with it; `last_pages` tells how many
    pages each sweep had when everything was last fetched. `owners` limits a sweep that
    asks for one account after the other, unless it must ask for everything.
    """
    snapshot = landing.snapshot(source.provider, source.tenant_id, opened_at=clock.now())
    if any(seal.since is not None and since.get(name) is None for name, seal in snapshot.sealed.items()):
        # Everything is asked for now: sweeps that a stopped run sealed with changes alone do not count.
        snapshot = landing.snapshot(
            source.provider, source.tenant_id, opened_at=clock.now(), resume_within=timedelta(0)
        )
    _keep_tenant_list(snapshot, tenants)
    faults: list[Fault] = []
    unread: list[tuple[SweepRequest, ProviderError]] = []
    gone: ProviderError | None = None
    for sweep in client.sweeps(source.tenant_id, since):
        if sweep.name in snapshot.sealed and (snapshot.sealed[sweep.name].complete or not sweep.by_owner):
            continue
        request = replace(
            sweep,
            last_pages=(last_pages or {}).get(sweep.name, 0),
            owners=owners if sweep.by_owner and sweep.since is not None else None,
        )
        error, count = (gone, 0) if gone is not None else _sweep(client, request, snapshot)
        if error is None:
            continue
        if gone is None:
            faults.append(Fault(error.code, f"{request.name}: {error}"))
        if count == 0:
            unread.append((request, error))
            gone = error if _is_gone(error) else None
    if unread and set(snapshot.sealed) <= {TENANT_LIST}:
        return Pulled(source, snapshot.id, failure=unread[0][1])
    for request, error in unread:
        _seal_unread(snapshot, request, error)
    snapshot.finish()
    pages = sum(len(seal.pages) for seal in snapshot.sealed.values())
    size = sum(page.length for seal in snapshot.sealed.values() for page in seal.pages)
    log.LOGGER.info(
        "pulled %s: %d pages, %.1f MB%s",
        source,
        pages,
        size / 1e6,
        f"; incomplete: {'; '.join(fault.text for fault in faults)}" if faults else "",
        extra=None if faults else log.STEP,
    )
    return Pulled(source, snapshot.id, pages=pages, size=size, faults=tuple(faults))


def _keep_tenant_list(snapshot: Snapshot, pages: Sequence[Page]) -> None:
    if not pages or TENANT_LIST in snapshot.sealed:
        return
    with snapshot.sweep(TENANT_LIST, tenant_id=snapshot.tenant_id, since=None) as writer:
        for page in pages:
            writer.add(page)
        writer.seal(complete=True)


def _is_gone(error: ProviderError) -> bool:
    """Tell whether the other sweeps need not be tried: after any error but a refusal of this one list."""
    return not isinstance(error, Refused) or error.status in {None, UNAUTHORISED}


def _sweep(client: Client, request: SweepRequest, snapshot: Snapshot) -> tuple[ProviderError | None, int]:
    """Fetch one sweep; return the error that ended it early and the pages that came before it."""
    count = 0
    with snapshot.sweep(request.name, tenant_id=request.tenant_id, since=request.since) as writer:
        try:
            for page in client.pull(request):
                writer.add(page)
                count += 1
                came(snapshot.provider, pages=1, size=len(page.body))
        except ProviderError as error:
            if count == 0:
                return error, 0
            log.LOGGER.warning("%s %s is incomplete: %s", snapshot.provider, request.name, error)
            writer.seal(complete=False, reason=f"{error.code}: {error}")
            return error, count
        # What was not asked for is not known to be as it was: such a sweep never passes for a whole one.
        is_whole = request.owners is None
        writer.seal(complete=is_whole, reason="" if is_whole else PARTLY.format(len(request.owners or ())))
    log.LOGGER.info("  %s/%s %s: %d pages", snapshot.provider, snapshot.tenant_id, request.name, count, extra=log.STEP)
    return None, count


def _seal_unread(snapshot: Snapshot, request: SweepRequest, error: ProviderError) -> None:
    with snapshot.sweep(request.name, tenant_id=request.tenant_id, since=request.since) as writer:
        writer.seal(complete=False, reason=f"{error.code}: {error}")
