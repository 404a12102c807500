"""The order of a run, once, for the flow and for the command: recover, pull, load, publish."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from flows import clock, log
from flows.endings import EXPECTED, ending
from flows.errors import NothingRead, SecretError, SettingsError, UsageError
from flows.settings import ProviderSettings, Settings, require_validation
from flows.sources import chosen, connect, wanted_tenants
from flows.steps.loading import Unloadable, blaming, load_id, load_snapshot
from flows.steps.pauses import read_pauses
from flows.steps.places import require_places
from flows.steps.publish import Finished, Publication, record_failure, settle
from flows.steps.pull import Pulled, Source, pull_source
from flows.steps.runners import Direct, Runner
from flows.steps.written import keep_intents
from providers import PROVIDERS
from providers.base import Client, Page
from providers.errors import ProviderError
from sql.core import ledger
from sql.runs import held_by_change, run_states
from sql.storage.aside import Aside
from sql.storage.commit_log import CommitLog
from sql.storage.commits import CommittedLoad
from sql.storage.landing import Landing
from sql.storage.lock import run_lock
from sql.storage.recovery import recover, set_aside, what_is_gone
from sql.warehouse import Warehouse

FULL_AFTER = timedelta(days=60)
"""A gap longer than this is closed by a full fetch: a provider's list of deletions ends after 90 days."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to do: the settings, the as-of date (today where null), the providers to pull (all where empty).

    `known_at` limits a report to what was known by then; `fail_on` is the severity of
    open break from which the exit code is 1. `full` fetches everything again.
    """

    settings: Settings
    as_of: date | None = None
    providers: tuple[str, ...] = ()
    known_at: datetime | None = None
    fail_on: str | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a provider, or one tenant of it, did not come in."""

    code: str
    text: str


Failures = dict[Source, Failure]


def reconcile_portfolio(request: Request, runner: Runner) -> Finished:
    """Pull the providers, load what came, publish the reports.

    Raises:
        NothingRead: no provider could be read.
        Busy: another run holds the lock.
    """
    sections = chosen(request.settings, request.providers)
    with _begun(request) as run:
        try:
            finished = _reconcile(run, sections, runner)
        except Exception as error:
            end = ending(error)
            try:
                run.fail(f"{end.code}: {end}")
            except Exception as worse:  # noqa: BLE001  what ended the run may keep it from being recorded; the first cause is told
                log.LOGGER.warning("the end of the run is not recorded: %s", ending(worse))
            if end.code == "internal" and not isinstance(error, EXPECTED):
                raise end from error  # its traceback is kept already
            raise
    runner.show("planrecon-summary", markdown=finished.markdown)
    runner.show("planrecon-breaks", table=finished.breaks)
    if finished.page is not None:
        runner.show("planrecon-page", link=finished.page.as_uri())
    return finished


def _reconcile(run: "_Run", sections: Mapping[str, ProviderSettings], runner: Runner) -> Finished:
    with run.warehouse() as warehouse:
        run.load_waiting(warehouse, runner)
        since, last_pages = run.watermarks(warehouse), run.last_pages(warehouse)
    pulled, failures = run.pull(sections, since, runner, last_pages=last_pages)
    with run.warehouse() as warehouse:
        unloaded = run.load_waiting(warehouse, runner)
        failures |= unloaded
        # a load that lost a row was read, and holds the run instead of ending it
        unread = {source for source, failure in unloaded.items() if failure.code != "conservation"}
        loaded = [one.source for one in pulled if one.source not in unread]
        fetched = frozenset((source.provider, source.tenant_id) for source in loaded)
        if not fetched:
            raise NothingRead(
                "no provider could be read. " + " ".join(failure.text for failure in failures.values()),
                (failure.code for failure in failures.values()),
            )
        publication = run.publication(warehouse, failures=failures, fetched=fetched)
        loads = [f"load {one.source}" for one in pulled]
        return runner.call("compute, check and publish", publication.publish, after=loads)


def report_portfolio(request: Request) -> Finished:
    """Publish again from the warehouse alone; no network.

    Raises:
        UsageError: nothing was ever loaded, or nothing was known at the moment asked for.
    """
    path = request.settings.warehouse.path
    if not path.is_file() and not CommitLog(request.settings.warehouse.state_dir).path.is_file():
        raise UsageError(f"there is no warehouse at {str(path)!r}; call `planrecon run` first")
    with _begun(request) as run, run.warehouse() as warehouse:
        return run.publication(warehouse, failures={}, fetched=frozenset()).publish()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A warehouse made from the landing: how much is in it, where the old one lies, what could not be loaded."""

    loads: int
    runs: int
    moved: tuple[Path, ...]
    failures: Failures


def rebuild_warehouse(request: Request) -> Rebuilt:
    """Move the warehouse aside and make it again from the state folder alone; nothing is fetched or published.

    Each load keeps the time at which its rows became known; where the commit log is gone, it is that of its fetch.

    Raises:
        UsageError: nothing was ever landed.
    """
    state_dir = request.settings.warehouse.state_dir
    if not (state_dir / "landing").is_dir():
        raise UsageError(f"there is no landing below {str(state_dir)!r} to make a warehouse from; restore it first")
    with _begun(request, anew=True) as run, run.warehouse() as warehouse:
        failures = run.load_waiting(warehouse, Direct(), as_fetched=True)
        return Rebuilt(len(warehouse.load_ids()), len(run_states(warehouse.con)), run.moved, failures)


@contextlib.contextmanager
def _begun(request: Request, *, anew: bool = False) -> Iterator["_Run"]:
    """Hold the lock, mend what an earlier crash left, and yield the run; `anew` begins with an empty warehouse."""
    settings, started = request.settings, clock.now()
    as_of = request.as_of or clock.today(settings.zone())
    if as_of > clock.today(settings.zone()):
        raise UsageError(
            f"the as-of date {as_of} lies in the future; give {clock.today(settings.zone())} or an earlier one"
        )
    read_pauses(settings.run.pauses_file)  # refused before anything is fetched
    run_id = f"{started:%Y%m%dT%H%M%S%fZ}"
    state_dir = settings.warehouse.state_dir
    require_validation()
    require_places(settings, as_of)
    with run_lock(state_dir, run_id=run_id, started_at=started):
        moved = set_aside(settings.warehouse.path, state_dir=state_dir, moment=started) if anew else []
        recovered = recover(
            settings.warehouse.path, state_dir=state_dir, moment=started, folders=[settings.reports.dir.absolute()]
        )
        run = _Run(request, run_id, as_of, started, Landing(state_dir / "landing"), CommitLog(state_dir), tuple(moved))
        for damaged in recovered.moved_aside:
            run.remark(f"{damaged} was damaged and is moved aside; its loads are replayed from the landing")
        with run.warehouse() as warehouse:
            run.replay(warehouse, recovered.replay)
            settle(warehouse, settings.reports.dir, run.commit_log)
            run.remark(what_is_gone(warehouse.con, state_dir, untold=len(recovered.logged_late), lost=recovered.lost))
        yield run


@dataclass(frozen=True, slots=True)
class _Run:
    """One run in this process: who it is, when it began, where its files lie, what it moved aside to begin anew."""

    request: Request
    run_id: str
    as_of: date
    started_at: datetime
    landing: Landing
    commit_log: CommitLog
    moved: tuple[Path, ...] = ()
    remarks: list[str] = field(default_factory=list)
    """What was found on this machine, for whoever looks after it."""

    def remark(self, sentence: str) -> None:
        """Tell it now, and in the summary; an empty sentence is none."""
        if sentence:
            log.LOGGER.warning("%s", sentence)
            self.remarks.append(sentence)

    @property
    def settings(self) -> Settings:
        return self.request.settings

    def warehouse(self) -> contextlib.AbstractContextManager[Warehouse]:
        """Open the warehouse for writing; reports may be read and written below their folder."""
        settings = self.settings
        return Warehouse.open(
            settings.warehouse.path, state_dir=settings.warehouse.state_dir, folders=[settings.reports.dir.absolute()]
        )

    def replay(self, warehouse: Warehouse, loads: Sequence[CommittedLoad]) -> None:
        """Load again what is in the commit log and missing in the warehouse, under the original times.

        What can no longer be loaded leaves its number to a load without rows, so that those behind it keep theirs.
        """
        for load in loads:
            try:
                self._load(warehouse, load.snapshot_id, loaded_at=load.loaded_at, is_new=False)
            except Unloadable as error:
                self.remark(f"{error}; load {load.load_no} stands without its rows until everything is fetched again")
                self._load(warehouse, load.snapshot_id, loaded_at=load.loaded_at, is_new=False, unread=str(error))

    def load_waiting(self, warehouse: Warehouse, runner: Runner, *, as_fetched: bool = False) -> Failures:
        """Load every finished snapshot that is not known yet, oldest first; return whose pages cannot be used.

        One that cannot be loaded is set aside and never tried again by itself. One that is older than what is
        loaded of its tenant is passed over: its rows would stand as the newest. Rows become known now, or, with
        `as_fetched`, when they were fetched.
        """
        failures: Failures = {}
        known, newest, aside = warehouse.load_ids(), warehouse.newest_snapshots(), Aside(self.commit_log.path.parent)
        set_aside = {mark.snapshot_id for mark in aside.marks()}
        for facts in self.landing.snapshots():
            source = Source(facts.provider, facts.tenant_id)
            if (
                not facts.is_finished
                or load_id(facts) in known
                or facts.id in set_aside
                or (facts.opened_at < self.started_at and facts.id < newest.get((facts.provider, facts.tenant_id), ""))
                or facts.provider not in self.settings.providers.configured()
            ):
                continue
            try:
                known_at = facts.opened_at if as_fetched else clock.now()
                load = partial(self._load, warehouse, facts.id, loaded_at=known_at)
                runner.call(f"load {source}", load, after=[f"pull {source}"])
            except Unloadable as error:
                aside.put(facts, code=error.code, reason=str(error), moment=clock.now(), trace=error.trace)
                told = f"{error}; it is set aside, and the next run fetches again what it brought"
                log.LOGGER.error("%s", told)
                failures[source] = Failure(error.code, told)
            else:
                aside.release(facts)
        return failures

    def _load(
        self, warehouse: Warehouse, snapshot_id: str, *, loaded_at: datetime, is_new: bool = True, unread: str = ""
    ) -> None:
        facts = self.landing.find(snapshot_id)
        section = self.settings.providers.configured().get(facts.provider)
        if section is None:
            raise UsageError(
                f"snapshot {snapshot_id} is of {facts.provider}, which is not configured; add its section to load it"
            )
        with blaming(facts, warehouse.path):
            load_snapshot(
                warehouse.con,
                self.landing,
                facts,
                section,
                loaded_at=loaded_at,
                overlap=timedelta(minutes=self.settings.run.overlap_minutes),
                commit_log=self.commit_log,
                is_new=is_new,
                unread=unread,
            )

    def watermarks(self, warehouse: Warehouse) -> dict[Source, dict[str, datetime | None]]:
        """Return, per tenant loaded before, where each sweep may start; null asks for everything.

        A fetch that showed too large a change to be believed proves nothing: after it, everything is asked for.
        """
        doubted = held_by_change(warehouse.con)
        return {
            Source(provider, tenant): {
                sweep: self._start(since, full_at)
                for sweep, (since, full_at) in ledger.watermarks(warehouse.con, provider, tenant).items()
            }
            for provider, tenant in warehouse.tenants()
            if provider not in doubted and not self.request.full
        }

    def last_pages(self, warehouse: Warehouse) -> dict[Source, dict[str, int]]:
        """Return, per tenant loaded before, how long each list was; nothing where everything is asked for on purpose."""
        if self.request.full:
            return {}
        return {
            Source(provider, tenant): ledger.whole_pages(warehouse.con, provider, tenant)
            for provider, tenant in warehouse.tenants()
        }

    def _start(self, since: datetime | None, full_at: datetime | None) -> datetime | None:
        if since is None or full_at is None:
            return None
        if max(since, full_at) > self.started_at:
            return None  # a clock was wrong, then or now: nobody knows what lies between
        is_due = self.started_at - full_at >= timedelta(days=self.settings.run.full_sweep_days)
        return None if is_due or self.started_at - since >= FULL_AFTER else since

    def pull(
        self,
        sections: Mapping[str, ProviderSettings],
        since: Mapping[Source, Mapping[str, datetime | None]],
        runner: Runner,
        *,
        last_pages: Mapping[Source, Mapping[str, int]],
    ) -> tuple[list[Pulled], Failures]:
        """Fetch every tenant of every provider, several at a time; return what came, and why something did not."""
        failures: Failures = {}
        with contextlib.ExitStack() as stack:
            clients: dict[str, Client] = {}
            for name, section in sections.items():
                try:
                    clients[name] = stack.enter_context(
                        connect(name, section, state_dir=self.settings.warehouse.state_dir)
                    )
                except (ProviderError, SecretError) as error:
                    log.LOGGER.error("%s", error)
                    failures[Source(name, "")] = Failure(error.code, str(error))
            lists = self._discover(sections, clients, failures, runner)
            sources = {str(source): source for source in sorted(lists, key=str)}

            def pull_one(name: str) -> Pulled:
                source = sources[name]
                return pull_source(
                    clients[source.provider],
                    source,
                    self.landing,
                    since=since.get(source, {}),
                    tenants=lists[source],
                    last_pages=last_pages.get(source, {}),
                )

            after = {name: f"list tenants {source.provider}" for name, source in sources.items()}
            pulled = list(runner.each("pull", pull_one, list(sources), after=after))
        for one in pulled:
            if one.failure is not None:
                failures[one.source] = Failure(one.failure.code, str(one.failure))
            elif one.faults:
                told = "; ".join(fault.text for fault in one.faults)
                failures[one.source] = Failure(one.code, f"{one.source} is incomplete: {told}")
        return sorted((one for one in pulled if one.is_loadable), key=lambda one: str(one.source)), failures

    def _discover(
        self,
        sections: Mapping[str, ProviderSettings],
        clients: Mapping[str, Client],
        failures: Failures,
        runner: Runner,
    ) -> dict[Source, tuple[Page, ...]]:
        """Return the tenants to pull, each with the pages that listed it."""

        def ask(name: str) -> tuple[str, tuple[Page, ...] | ProviderError]:
            try:
                return name, tuple(clients[name].tenants())
            except ProviderError as error:
                return name, error

        found: dict[Source, tuple[Page, ...]] = {}
        for name, answer in runner.each("list tenants", ask, list(clients)):
            if isinstance(answer, ProviderError):
                log.LOGGER.error("%s", answer)
                failures[Source(name, "")] = Failure(answer.code, str(answer))
                continue
            try:
                tenants = wanted_tenants(name, sections[name], PROVIDERS[name].tenant_ids(answer) if answer else None)
            except SettingsError as error:
                log.LOGGER.error("%s", error)
                failures[Source(name, "")] = Failure(error.code, str(error))
                continue
            found |= {Source(name, tenant): answer for tenant in tenants}
        return found

    def fail(self, reason: str) -> None:
        """Record that the run ended without anything to publish."""
        with self.warehouse() as warehouse:
            keep_intents(warehouse)
            record_failure(
                warehouse,
                run_id=self.run_id,
                as_of=self.as_of,
                started_at=self.started_at,
                reason=reason,
                commit_log=self.commit_log,
                reports_dir=self.settings.reports.dir,
            )

    def publication(
        self, warehouse: Warehouse, *, failures: Failures, fetched: frozenset[tuple[str, str]]
    ) -> Publication:
        """Return what is left to do with the warehouse open."""
        return Publication(
            warehouse=warehouse,
            settings=self.settings,
            run_id=self.run_id,
            as_of=self.as_of,
            started_at=self.started_at,
            known_at=self.request.known_at,
            fail_on=self.request.fail_on or self.settings.run.fail_on,
            commit_log=self.commit_log,
            failures={
                (source.provider, source.tenant_id): (failure.code, failure.text)
                for source, failure in failures.items()
            },
            fetched=fetched,
            write_backs=keep_intents(warehouse),
            notes=tuple(self.remarks),
        )
