"""Fetch one tenant's pages into the landing as sealed sweeps, not parsed and not loaded yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from flows import clock, log
from flows.live import came
from providers import PROVIDERS
from providers.base import Client, Page, SweepRequest
from providers.errors import NotPermitted, ProviderError, Refused
from providers.http.answers import UNAUTHORISED
from sql.moving import Owners
from sql.storage.landing import Landing, Snapshot
from sql.storage.references import Group
from sql.storage.seals import PageFacts

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
class Unsure:
    """The accounts that are asked for more though their first page is as it was.

    `moving` are contexts of those whose money may be on the move, asked for their payments too. Asked for everything
    are those that show a plan of `written`, changed through us, which the first page need not tell, or a page of
    `refused`, the hashes of those with a row that could not be taken in.
    """

    moving: Owners
    written: frozenset[str]
    refused: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one fetch brought: a finished snapshot, or the failure that left it unfinished.

    `pages` were asked for, `unasked` beside them count as they were.
    """

    source: Source
    snapshot_id: str
    pages: int = 0
    unasked: int = 0
    size: int = 0
    failure: ProviderError | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def is_loadable(self) -> bool:
        """Tell whether the snapshot is finished."""
        return self.failure is None

    @property
    def note(self) -> str:
        """Return in a sentence how much was asked for, empty where it was everything."""
        if not self.unasked:
            return ""
        return (
            f"of {self.source} {self.pages:,} pages were asked for and {self.unasked:,} count as they were, because the first "
            "page of their account is as it was (setup_tells); a run with --full asks for all of them"
        )

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
    unsure: Unsure | None = None,
) -> Pulled:
    """Fetch every sweep of one tenant, resuming an unfinished snapshot.

    A sweep that fails after its first page, or is refused on its own, is sealed as
    incomplete and the next one is tried. Where no page comes at all, the provider
    cannot be read: the snapshot stays open for the next run. `tenants` are the pages
    that told of this tenant, zone and currency with it; `last_pages` tells how many
    pages each sweep had when everything was last fetched. `owners` limits a sweep that
    asks for one account after the other, unless it must ask for everything; without `unsure` every account is
    asked for everything.
    """
    snapshot = landing.snapshot(source.provider, source.tenant_id, opened_at=clock.now())
    if any(seal.since is not None and since.get(name) is None for name, seal in snapshot.sealed.items()):
        # Everything is asked for now: sweeps that a stopped run sealed with changes alone do not count.
        snapshot = landing.snapshot(
            source.provider, source.tenant_id, opened_at=clock.now(), resume_within=timedelta(0)
        )
    account = _account(source.provider)
    snapshot.shown = landing.shown(source.provider, source.tenant_id, before=snapshot.id, group=account)
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
            before=_as_before(snapshot, sweep, unsure) if owners is None else {},
            moving=frozenset(map(account, unsure.moving)) if unsure else frozenset(),
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
    unasked = sum(seal.unasked for seal in snapshot.sealed.values())
    pages = sum(seal.count for seal in snapshot.sealed.values()) - unasked
    size = sum(page.length for seal in snapshot.sealed.values() for page in seal.pages)
    log.LOGGER.info(
        "pulled %s: %d pages, %.1f MB%s%s",
        source,
        pages,
        size / 1e6,
        f"; {unasked} count as they were" if unasked else "",
        f"; incomplete: {'; '.join(fault.text for fault in faults)}" if faults else "",
        extra=None if faults else log.STEP,
    )
    return Pulled(source, snapshot.id, pages=pages, unasked=unasked, size=size, faults=tuple(faults))


def _account(provider: str) -> Group:
    ties = PROVIDERS[provider].ties
    return lambda context: ties(context)[0]


def _as_before(snapshot: Snapshot, sweep: SweepRequest, unsure: Unsure | None) -> dict[str, list[PageFacts]]:
    """Return the pages that an account showed when last fetched, by its name, where they may count as they were."""
    if unsure is None or not sweep.by_owner or sweep.since is None:
        return {}
    written = {f"plan {plan_id}" for plan_id in unsure.written}
    ties = PROVIDERS[snapshot.provider].ties
    return {
        name: [one.page for one in shown]
        for (of_sweep, name), shown in snapshot.shown.groups.items()
        if of_sweep == sweep.name
        and unsure.refused.isdisjoint(one.page.sha256 for one in shown)
        and not (written and any(written.intersection(ties(one.page.context)) for one in shown))
    }


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
                if page.speaks_for:
                    writer.keep(page.context, page.speaks_for)
                count += 1
                came(snapshot.provider, pages=1, size=len(page.body))
        except ProviderError as error:
            if count == 0:
                return error, 0
            log.LOGGER.warning("%s %s is incomplete: %s", snapshot.provider, request.name, error)
            unread = set(map(_account(snapshot.provider), error.unread))
            writer.seal(complete=False, reason=f"{error.code}: {error}", unread=unread)
            return error, count
        # What was not asked for is not known to be as it was: such a sweep never passes for a whole one.
        is_whole = request.owners is None
        writer.seal(complete=is_whole, reason="" if is_whole else PARTLY.format(len(request.owners or ())))
    log.LOGGER.info("  %s/%s %s: %d pages", snapshot.provider, snapshot.tenant_id, request.name, count, extra=log.STEP)
    return None, count


def _seal_unread(snapshot: Snapshot, request: SweepRequest, error: ProviderError) -> None:
    with snapshot.sweep(request.name, tenant_id=request.tenant_id, since=request.since) as writer:
        writer.seal(complete=False, reason=f"{error.code}: {error}")
