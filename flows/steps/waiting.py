"""Load what lies in the landing and is not in the warehouse: what was fetched, and what the file lost."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

import polars as pl

from flows import clock, log
from flows.errors import UsageError
from flows.settings import ProviderSettings
from flows.steps.loading import Unloadable, blaming, load_id, load_snapshot
from flows.steps.pull import Failures, Fault, Source
from flows.steps.replays import replay_snapshot
from flows.steps.request import ThisRun
from flows.steps.runners import Runner
from sql.quarantine import still_out
from sql.storage.aside import Aside
from sql.storage.commits import CommittedLoad, held_back
from sql.storage.landing import SnapshotFacts
from sql.warehouse import Warehouse


def replay(this: ThisRun, warehouse: Warehouse, loads: Sequence[CommittedLoad]) -> Iterator[str]:
    """Load again what is in the commit log and missing in the warehouse, under the original times; yield what failed.

    What can no longer be loaded leaves its number to a load without rows, so that those behind it keep theirs. Rows that
    a replay brought in stay out of the load that refused them, as they did: their replay comes behind it.
    """
    held = held_back(loads)
    for load in loads:
        facts = this.landing.find(load.snapshot_id)
        if load.mode == "REPLAY":
            section = _section(this, facts)
            with blaming(facts, warehouse.path):
                replay_snapshot(this, warehouse.con, facts, section, loaded_at=load.loaded_at, again=load.load_id)
            continue
        try:
            own = held.filter(pl.col("load_no") == load.load_no)
            _load(this, warehouse, facts, loaded_at=load.loaded_at, is_new=False, held=own)
        except Unloadable as error:
            yield f"{error}; load {load.load_no} stands without its rows until everything is fetched again"
            _load(this, warehouse, facts, loaded_at=load.loaded_at, is_new=False, unread=str(error))


def load_waiting(this: ThisRun, warehouse: Warehouse, runner: Runner, *, as_fetched: bool = False) -> Failures:
    """Load every finished snapshot that is not known yet, oldest first; return whose pages cannot be used.

    One that cannot be loaded is set aside and never tried again by itself. One that is older than what is
    loaded of its tenant is passed over: its rows would stand as the newest. Rows become known now, or, with
    `as_fetched`, when they were fetched.
    """
    failures: Failures = {}
    known, newest, aside = warehouse.load_ids(), warehouse.newest_snapshots(), Aside(warehouse.state_dir)
    set_aside = {mark.snapshot_id for mark in aside.marks()}
    for facts in this.landing.snapshots():
        source = Source(facts.provider, facts.tenant_id)
        if (
            not facts.is_finished
            or load_id(facts) in known
            or facts.id in set_aside
            or (facts.opened_at < this.started_at and facts.id < newest.get(source, ""))
            or facts.provider not in this.settings.providers.configured()
        ):
            continue
        try:
            known_at = facts.opened_at if as_fetched else clock.now()
            load = partial(_load, this, warehouse, facts, loaded_at=known_at)
            runner.call(f"load {source}", load, after=[f"pull {source}"])
        except Unloadable as error:
            aside.put(facts, code=error.code, reason=str(error), moment=clock.now(), trace=error.trace)
            told = f"{error}; it is set aside, and the next run fetches again what it brought"
            log.LOGGER.error("%s", told)
            failures[source] = Fault(error.code, told)
        else:
            aside.release(facts)
    return failures


def replay_refused(this: ThisRun, warehouse: Warehouse) -> tuple[int, int]:
    """Give every refused row that may have one a second chance; return how many came in, and how many stay out."""
    before = still_out(warehouse.con)
    for snapshot_id in before["snapshot_id"].unique(maintain_order=True):
        if not this.landing.holds(snapshot_id):
            log.LOGGER.warning(
                "the bytes of %s are gone; its refused rows stay out until they are restored", snapshot_id
            )
            continue
        facts = this.landing.find(snapshot_id)
        if facts.provider in this.settings.providers.configured():
            with blaming(facts, warehouse.path):
                replay_snapshot(this, warehouse.con, facts, _section(this, facts), loaded_at=clock.now())
    left = still_out(warehouse.con).height
    return before.height - left, left


def _section(this: ThisRun, facts: SnapshotFacts) -> ProviderSettings:
    section = this.settings.providers.configured().get(facts.provider)
    if section is None:
        raise UsageError(
            f"snapshot {facts.id} is of {facts.provider}, which is not configured; add its section to load it"
        )
    return section


def _load(
    this: ThisRun,
    warehouse: Warehouse,
    facts: SnapshotFacts,
    *,
    loaded_at: datetime,
    is_new: bool = True,
    unread: str = "",
    held: pl.DataFrame | None = None,
) -> None:
    section = _section(this, facts)
    with blaming(facts, warehouse.path):
        load_snapshot(this, warehouse.con, facts, section, loaded_at=loaded_at, is_new=is_new, unread=unread, held=held)
