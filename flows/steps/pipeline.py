"""The order of a run, once, for the flow and for the command: recover, fetch, load, publish."""

import contextlib
import gc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from flows import clock, log
from flows.configuration import require_validation
from flows.endings import EXPECTED, ending
from flows.errors import NothingRead, UsageError
from flows.live import watching
from flows.settings import Settings
from flows.sources import chosen
from flows.steps.fetch import fetch, fetched_before
from flows.steps.own_lists.customers import read_customers
from flows.steps.own_lists.pauses import read_pauses
from flows.steps.places import require_places
from flows.steps.publish import Finished, publish
from flows.steps.pull import Failures, Pulled
from flows.steps.request import Request, ThisRun
from flows.steps.runners import Direct, Runner
from flows.steps.settle import prune_reports, record_failure, settle
from flows.steps.spread.cluster import require_cluster
from flows.steps.spread.scratch import remove_left
from flows.steps.waiting import load_waiting, replay
from flows.steps.written import keep_intents
from sql.connection import Limits
from sql.runs import run_states
from sql.storage.commit_log import CommitLog
from sql.storage.landing import Landing
from sql.storage.lock import run_lock
from sql.storage.recovery import recover, set_aside, what_is_gone
from sql.warehouse import Warehouse

LOADING = Limits(memory="1GB", threads=1)
"""What the database may use to load: what needs more room waits on disk, and rows that go in one behind the other go in no
faster with more threads, which cost a tenth more. What reads a portfolio as a whole may use twice the room, and all threads."""


def reconcile_portfolio(request: Request, runner: Runner) -> Finished:
    """Pull the providers, load what came, publish the reports.

    Raises:
        NothingRead: no provider could be read.
        Busy: another run holds the lock.
    """
    sections = chosen(request.settings, request.providers)
    require_cluster(request.settings.scale)
    with begun(request, limits=LOADING) as (this, warehouse, opened), watching():
        try:
            with opened:
                runner.begin(this.settings.warehouse.state_dir)
                load_waiting(this, warehouse, runner)
                before, known = fetched_before(this, warehouse), warehouse.tenants()
            finished = _reconcile(this, *fetch(this, sections, before, runner, known), runner)
        except Exception as error:
            end = ending(error)
            try:
                _record_end(this, f"{end.code}: {end}")
            except Exception as worse:  # noqa: BLE001  what ended the run may keep it from being recorded; the first cause is told
                log.LOGGER.warning("the end of the run is not recorded: %s", ending(worse))
            if end.code == "internal" and not isinstance(error, EXPECTED):
                raise end from error  # its traceback is kept already
            raise
    runner.show("planrecon-summary", markdown=finished.markdown)
    runner.show("planrecon-breaks", table=finished.breaks)
    if finished.notices is not None:
        runner.show("planrecon-digest", markdown=finished.notices.markdown())
        log.LOGGER.info("%s", finished.notices.first_line)
    if finished.page is not None:
        runner.show("planrecon-page", link=finished.page.as_uri())
    return finished


def _reconcile(this: ThisRun, pulled: Sequence[Pulled], failures: Failures, runner: Runner) -> Finished:
    this = replace(this, notes=(*this.notes, *(pull.note for pull in pulled if pull.note)))
    with this.warehouse(LOADING) as warehouse:
        unloaded = load_waiting(this, warehouse, runner)
    with this.warehouse() as warehouse:
        failures |= unloaded
        # a load that lost a row holds the run instead of ending it
        unread = {source for source, fault in unloaded.items() if fault.code != "conservation"}
        fetched = frozenset(pull.source for pull in pulled if pull.source not in unread)
        if not fetched:
            raise NothingRead(
                "no provider could be read. " + " ".join(fault.text for fault in failures.values()),
                (fault.code for fault in failures.values()),
            )
        step = partial(publish, this, warehouse, failures=failures, fetched=fetched)
        return runner.call("compute, check and publish", step, after=[f"load {pull.source}" for pull in pulled])


def _record_end(this: ThisRun, reason: str) -> None:
    """Record that the run ended with no result to publish."""
    with this.warehouse() as warehouse:
        keep_intents(warehouse)
        record_failure(this, warehouse, reason)


def require_warehouse(settings: Settings) -> None:
    """Refuse a command that works on what earlier runs stored where there were none, before it makes anything.

    Raises:
        UsageError: there is neither a warehouse nor a commit log that tells of one.
    """
    kept = settings.warehouse
    is_told = kept.state_dir.is_dir() and CommitLog(kept.state_dir).path.is_file()
    if not kept.path.is_file() and not is_told:
        raise UsageError(f"there is no warehouse at {str(kept.path)!r}; call `planrecon run` first")


def report_portfolio(request: Request) -> Finished:
    """Publish again from the warehouse alone; no network.

    Raises:
        UsageError: no load was ever made, or none was known at the moment asked for.
    """
    require_warehouse(request.settings)
    require_cluster(request.settings.scale)
    with begun(request) as (this, warehouse, _):
        return publish(this, warehouse, failures={}, fetched=frozenset())


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
        UsageError: the landing is empty.
    """
    state_dir = request.settings.warehouse.state_dir
    if not (state_dir / "landing").is_dir():
        raise UsageError(f"there is no landing below {str(state_dir)!r} to make a warehouse from; restore it first")
    moved: list[Path] = []
    with begun(request, moved=moved, limits=LOADING) as (this, warehouse, _):
        failures = load_waiting(this, warehouse, Direct(), as_fetched=True)
        return Rebuilt(len(warehouse.load_ids()), len(run_states(warehouse.con)), tuple(moved), failures)


@contextlib.contextmanager
def begun(
    request: Request, *, moved: list[Path] | None = None, limits: Limits | None = None
) -> Iterator[tuple[ThisRun, Warehouse, contextlib.ExitStack]]:
    """Hold the lock, mend what an earlier crash left, and yield the run, its warehouse, open, and what closes that early.

    Begins with an empty warehouse where `moved` is given: it then holds where the files of the former one lie. `limits` are
    what the database may use until it is closed.
    """
    settings, started = request.settings, clock.now()
    today = clock.today(settings.zone())
    as_of = request.as_of or today
    if as_of > today:
        raise UsageError(f"the as-of date {as_of} lies in the future; give {today} or an earlier one")
    read_pauses(settings.run.pauses_file)  # refused before anything is fetched
    read_customers(settings.run.customers_file)
    require_validation()
    require_places(settings, as_of)
    run_id, kept = f"{started:%Y%m%dT%H%M%S%fZ}", settings.warehouse
    with _spared(), run_lock(kept.state_dir, run_id=run_id, started_at=started), contextlib.ExitStack() as opened:
        if moved is not None:
            moved += set_aside(kept.path, state_dir=kept.state_dir, moment=started)
        landing, commit_log = Landing(kept.state_dir / "landing"), CommitLog(kept.state_dir)
        this = ThisRun(request, run_id, as_of, started, landing, commit_log)
        warehouse, recovered = opened.enter_context(
            recover(kept.path, state_dir=kept.state_dir, moment=started, folders=[this.reports_dir], limits=limits)
        )
        notes = _told(recovered.notes() if moved is None else [])  # who begins anew knows that nothing is there
        notes += _told([remove_left(kept.state_dir)])
        notes += _told(replay(this, warehouse, recovered.replay))
        settle(warehouse, this.reports_dir, commit_log)
        untold = len(recovered.logged_late)
        notes += _told([what_is_gone(warehouse.con, kept.state_dir, untold=untold, lost=recovered.lost)])
        prune_reports(this)  # what an earlier run was stopped in, and what became old since
        yield replace(this, notes=tuple(notes)), warehouse, opened


@contextlib.contextmanager
def _spared() -> Iterator[None]:
    """Let the collector of unused objects pass over what is there already: the libraries stay, and are most of it."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _told(notes: Iterable[str]) -> list[str]:
    """Log each sentence as it comes, and return those that are not empty."""
    told = []
    for note in filter(None, notes):
        log.LOGGER.warning("%s", note)
        told.append(note)
    return told
