"""The commands about files on disk: `verify` checks that they are as written, `rebuild` makes the warehouse again."""

from dataclasses import replace
from pathlib import Path

from flows import clock, streams
from flows.configuration import load
from flows.errors import StoredDataDamaged
from flows.settings import Settings
from flows.steps.pipeline import rebuild_warehouse
from flows.steps.request import Request
from sql.storage.lock import run_lock
from sql.storage.verification import Checked, Gone, Stored, verify


def verify_stored(config: Path | None) -> int:
    """Print one line per place and one per fault, and return 0.

    Raises:
        Busy: a run is at work; what it writes cannot be judged before it ends.
        StoredDataDamaged: something is not what was written.
    """
    settings = load(config)
    started = clock.now()
    faults = 0
    with run_lock(settings.warehouse.state_dir, run_id="verify", started_at=started):
        for place in verify(_stored(settings)):
            streams.say(f"{'fix' if place.faults else 'ok '}  {place.place}: {place.seen}")
            for fault in place.faults:
                streams.say(f"     {fault}")
            faults += len(place.faults)
    if faults:
        raise StoredDataDamaged(
            f"{faults} thing{'s are' if faults > 1 else ' is'} not as written; do what each line says"
        )
    return 0


def rebuild(config: Path | None) -> int:
    """Make the warehouse again from the landing, say what is in it, and return 0; 2 where a fetch could not be loaded."""
    settings = load(config)
    rebuilt = rebuild_warehouse(Request(settings))
    print(f"{settings.warehouse.path} is made again: {rebuilt.loads} loads, {rebuilt.runs} runs")
    for path in rebuilt.moved:
        print(f"the former one is kept as {path}; remove it when you have looked")
    if rebuilt.failures:
        raise StoredDataDamaged(" ".join(failure.text for failure in rebuilt.failures.values()))
    return 0


def damaged(settings: Settings) -> list[Checked]:
    """Return the places with files that are not as written, without waiting for other processes or changing anything.

    What was removed as a whole is no such thing: what stands is as it was.
    """
    places = [
        replace(place, faults=tuple(fault for fault in place.faults if not isinstance(fault, Gone)))
        for place in verify(_stored(settings))
    ]
    return [place for place in places if place.faults]


def _stored(settings: Settings) -> Stored:
    return Stored(
        settings.warehouse.path.absolute(), settings.warehouse.state_dir.absolute(), settings.reports.dir.absolute()
    )
