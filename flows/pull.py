"""Fetch one tenant's pages into the landing: sealed sweeps, nothing parsed, nothing stored yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flows import clock, log
from providers.base import Client, Page, SweepRequest
from providers.errors import ProviderError
from sql.landing import Landing, Snapshot

TENANT_LIST = "administrations"
"""Sweep that holds the provider's own list of tenants, in the snapshot of each of them."""


@dataclass(frozen=True, slots=True)
class Source:
    """One tenant of one provider."""

    provider: str
    tenant_id: str

    def __str__(self) -> str:
        """Name the source in progress lines and task names."""
        return f"{self.provider}/{self.tenant_id}"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one fetch brought: a finished snapshot, or the failure that left it unfinished."""

    source: Source
    snapshot_id: str
    pages: int = 0
    size: int = 0
    failure: ProviderError | None = None
    faults: tuple[str, ...] = ()

    @property
    def is_loadable(self) -> bool:
        """Tell whether the snapshot is finished."""
        return self.failure is None


def pull_source(
    client: Client,
    source: Source,
    landing: Landing,
    *,
    since: Mapping[str, datetime | None],
    tenants: Sequence[Page] = (),
) -> Pulled:
    """Fetch every sweep of one tenant, resuming an unfinished snapshot.

    A sweep that fails after its first page is sealed as incomplete and the next
    one is tried. Where not even the first page of the first sweep comes, the
    provider cannot be read: the snapshot stays open for the next run. `tenants` are
    the pages that told of this tenant, zone and currency with it.
    """
    snapshot = landing.snapshot(source.provider, source.tenant_id, opened_at=clock.now())
    _keep_tenant_list(snapshot, tenants)
    faults: list[str] = []
    gone: ProviderError | None = None
    for request in client.sweeps(source.tenant_id, since):
        if request.name in snapshot.sealed:
            continue
        if gone is None:
            gone, fault = _sweep(client, request, snapshot)
            faults += [fault] if fault else []
            if gone is not None and set(snapshot.sealed) <= {TENANT_LIST}:
                return Pulled(source, snapshot.id, failure=gone)
        if gone is not None:
            _seal_unread(snapshot, request, gone)
    snapshot.finish()
    pages = sum(len(seal.pages) for seal in snapshot.sealed.values())
    size = sum(page.length for seal in snapshot.sealed.values() for page in seal.pages)
    if gone is not None and pages == 0:
        return Pulled(source, snapshot.id, failure=gone)
    log.LOGGER.info(
        "pulled %s: %d pages, %.1f MB%s",
        source,
        pages,
        size / 1e6,
        f"; incomplete: {'; '.join(faults)}" if faults else "",
    )
    return Pulled(source, snapshot.id, pages=pages, size=size, faults=tuple(faults))


def _keep_tenant_list(snapshot: Snapshot, pages: Sequence[Page]) -> None:
    if not pages or TENANT_LIST in snapshot.sealed:
        return
    with snapshot.sweep(TENANT_LIST, tenant_id=snapshot.tenant_id, since=None) as writer:
        for page in pages:
            writer.add(page)
        writer.seal(complete=True)


def _sweep(client: Client, request: SweepRequest, snapshot: Snapshot) -> tuple[ProviderError | None, str]:
    """Fetch one sweep; return the error if nothing came of it, and why it is incomplete."""
    count = 0
    with snapshot.sweep(request.name, tenant_id=request.tenant_id, since=request.since) as writer:
        try:
            for page in client.pull(request):
                writer.add(page)
                count += 1
        except ProviderError as error:
            if count == 0:
                return error, f"{request.name}: {error}"
            log.LOGGER.warning("%s %s is incomplete: %s", snapshot.provider, request.name, error)
            writer.seal(complete=False, reason=f"{error.code}: {error}")
            return None, f"{request.name}: {error}"
        writer.seal(complete=True, reason="")
    log.LOGGER.info("  %s/%s %s: %d pages", snapshot.provider, snapshot.tenant_id, request.name, count)
    return None, ""


def _seal_unread(snapshot: Snapshot, request: SweepRequest, error: ProviderError) -> None:
    with snapshot.sweep(request.name, tenant_id=request.tenant_id, since=request.since) as writer:
        writer.seal(complete=False, reason=f"{error.code}: {error}")
