"""The command `explain`: how every figure of one plan, or one break, comes about, from the warehouse alone."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date
from pathlib import Path

import duckdb

from flows import clock
from flows.commands.life.breaks import explained_break
from flows.commands.life.plans import Wanted, explained, the_plan
from flows.configuration import load, require_validation
from flows.errors import UsageError
from flows.settings import Settings
from flows.steps.inputs import read_inputs
from reports.explanations import breaks, plan
from schemas.explanation import Explanation
from sql.runs import known_load
from sql.warehouse import Warehouse

WAITS = 3
"""Times that a warehouse held by another process is asked for again."""


def explain(config: Path | None, wanted: Wanted, *, style: str) -> int:
    """Print how the figures of a plan, or how a break, comes about and return 0.

    Raises:
        UsageError: nothing was loaded by then, the date lies ahead, or what is meant is unknown or not the only one.
        Busy: a run is writing the warehouse.
    """
    settings = load(config)
    require_validation()
    as_of = _as_of(settings, wanted.as_of)
    with _opened(settings) as warehouse:
        found = explained_break(warehouse.con, settings, wanted)
        if found is not None:
            text = breaks.as_json(found) if style == "json" else breaks.as_text(found)
        else:
            told = _plan(warehouse.con, settings, wanted, as_of)
            text = plan.as_json(told) if style == "json" else plan.as_text(told)
    sys.stdout.write(text + "\n")
    return 0


def _plan(con: duckdb.DuckDBPyConnection, settings: Settings, wanted: Wanted, as_of: date) -> Explanation:
    """Return the explanation of the one plan that is wanted, from what the warehouse knew."""
    moment = wanted.known_at
    known = known_load(con, moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment)
    if known == 0:
        when = f" by {moment}" if moment else ""
        raise UsageError(f"nothing was loaded{when}; call `planrecon run` first, or give a later --known-at")
    inputs = read_inputs(con, known, as_of=as_of, settings=settings)
    return explained(con, inputs, the_plan(inputs.plans, wanted, as_of), settings)


def _as_of(settings: Settings, given: date | None) -> date:
    today = clock.today(settings.zone())
    if given is not None and given > today:
        raise UsageError(f"the as-of date {given} lies in the future; give {today} or an earlier one")
    return given or today


@contextmanager
def _opened(settings: Settings) -> Iterator[Warehouse]:
    kept = settings.warehouse
    with Warehouse.open(
        kept.path, state_dir=kept.state_dir, read_only=True, folders=[settings.reports.dir.absolute()], tries=WAITS
    ) as warehouse:
        yield warehouse
