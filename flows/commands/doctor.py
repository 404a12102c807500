"""Look at everything a run needs before it is needed, and say what to do about what is missing."""

import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from flows import streams
from flows.commands.stored import damaged
from flows.configuration import load, require_validation
from flows.endings import ending
from flows.errors import PlanreconError
from flows.orchestrator import address, require_answer, shown, without
from flows.settings import ProviderSettings, Settings, sections_to_add
from flows.sources import connect, tenant_of
from flows.steps.own_lists.customers import read_customers
from flows.steps.own_lists.pauses import read_pauses
from flows.steps.places import would_take
from flows.steps.spread.cluster import require_cluster
from providers import PROVIDERS
from sql.storage.aside import Aside
from sql.storage.recovery import what_is_gone
from sql.warehouse import Warehouse
from transforms.calendars.business_days import MONEY_CALENDARS, check_calendar
from writes.ledger import Ledger

ENOUGH = 2 * 1024**3
"""Free bytes below which a run may fail half-way; a run of 10,000 plans uses about a fiftieth of it."""

PINNED = ("prefect", "polars", "duckdb", "pandera", "httpx", "msgspec", "holidays")


class Remark(Exception):  # noqa: N818  the word says what it is
    """What a person should know, and no run fails on."""


def examine(config: Path | None, *, offline: bool, assumptions: bool = False) -> int:
    """Print one line per thing looked at: `ok`, `warn` for what no run fails on, or `fix` with what to do.

    Returns 0 if nothing needs fixing, else 2.
    """
    try:
        settings = load(config)
    except PlanreconError as error:
        streams.say(f"fix  configuration: {error}")
        return 2
    print("ok   configuration")
    faults = 0
    for name, look in _looks(settings, offline=offline):
        try:
            streams.say(f"ok   {name}: {look()}")
        except Remark as remark:
            streams.say(f"warn {name}: {remark}")
        except Exception as error:  # noqa: BLE001  one thing that is broken hides no other
            faults += 1
            streams.say(f"fix  {name}: {ending(error)}")
    if assumptions:
        _print_assumptions(settings)
    return 2 if faults else 0


def _looks(settings: Settings, *, offline: bool) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "versions", _versions
    yield "validation", _validation
    yield "calendars", lambda: _calendars(settings)
    yield "disk", lambda: _disk(settings.warehouse.path.absolute().parent)
    yield "warehouse", lambda: _warehouse(settings)
    yield "state folder", lambda: _state_folder(settings)
    yield "pauses", lambda: _pauses(settings)
    yield "customers", lambda: _customers(settings)
    yield "reports", lambda: _writable(settings.reports.dir)
    yield "stored data", lambda: _stored(settings)
    yield "snapshots", lambda: _set_aside(settings)
    yield "write-backs", lambda: _intents(settings)
    if address():
        yield "prefect", _prefect
    if settings.scale.dask_address and not offline:
        yield "dask", lambda: _cluster(settings)
    if not settings.providers.configured():
        yield "providers", _no_provider
    for name, section in settings.providers.configured().items():
        look = _configured if offline else _reach
        yield name, partial(look, name, section, settings.warehouse.state_dir)


def _versions() -> str:
    wrong = []
    for requirement in importlib.metadata.requires("planrecon") or []:
        name, _, version = requirement.partition(";")[0].strip().partition("==")
        bare = name.partition("[")[0]
        if bare in PINNED and version and importlib.metadata.version(bare) != version:
            wrong.append(f"{bare} is {importlib.metadata.version(bare)}, {version} is wanted")
    if wrong:
        raise PlanreconError(f"{'; '.join(wrong)}; install from requirements.lock")
    return f"Python {sys.version.split()[0]}, planrecon {importlib.metadata.version('planrecon')}, libraries as locked"


def _validation() -> str:
    require_validation()
    return "gates are on"


def _calendars(settings: Settings) -> str:
    names = sorted({own.calendar for own in settings.options().values()})
    for name in names:
        check_calendar(name)
    return f"{', '.join(names)}; {'; '.join(f'{name}: {when}' for name, when in MONEY_CALENDARS.items())}"


def _disk(folder: Path) -> str:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < ENOUGH:
        raise PlanreconError(f"{folder} has {free / 1e9:.1f} GB free, less than {ENOUGH / 1e9:.1f}; free some space")
    return f"{free / 1e9:.0f} GB free"


def _warehouse(settings: Settings) -> str:
    path = settings.warehouse.path
    if not path.exists():
        return f"{path} does not exist yet; the first run makes it"
    with Warehouse.open(path, state_dir=settings.warehouse.state_dir, read_only=True):
        return f"{path} opens, {path.stat().st_size / 1e6:.1f} MB"


def _state_folder(settings: Settings) -> str:
    """Tell what was removed from it while the warehouse was kept."""
    path, state_dir = settings.warehouse.path, settings.warehouse.state_dir
    if not would_take(state_dir.absolute()):
        raise PlanreconError(
            f"{state_dir} cannot be written; correct its permissions, move away what stands there, "
            "or name another in warehouse.state_dir"
        )
    if path.exists():
        with Warehouse.open(path, state_dir=state_dir, read_only=True) as warehouse:
            if gone := what_is_gone(warehouse.con, warehouse.state_dir):
                raise Remark(gone)
    return f"{state_dir} holds what the warehouse was built from"


def _pauses(settings: Settings) -> str:
    file = settings.run.pauses_file
    if file is None:
        return "no file is configured"
    pauses = read_pauses(file)
    return f"{file} is read, {len(pauses)} pause{'s' * (len(pauses) != 1)}"


def _customers(settings: Settings) -> str:
    file = settings.run.customers_file
    if file is None:
        return "no file is configured"
    given = read_customers(file)
    return f"{file} is read, {len(given)} id{'s' * (len(given) != 1)} of {len({own.customer for own in given})} of your own"


def _stored(settings: Settings) -> str:
    """Read everything on disk again; raise with the first fault of each damaged place."""
    places = damaged(settings)
    if places:
        first = "; ".join(place.faults[0] for place in places)
        raise PlanreconError(f"{first}. `planrecon verify` names every fault")
    return "landing, logs, warehouse and published folders hold what was written"


def _intents(settings: Settings) -> str:
    ledger = Ledger(settings.warehouse.state_dir)
    waiting = sum(one.is_open for one in ledger.intents())
    if waiting:
        raise PlanreconError(f"{waiting} not finished; see `planrecon plan list`, then call `planrecon plan resume`")
    return f"{len(ledger.intents())}, all finished; the log's chain holds"


def _set_aside(settings: Settings) -> str:
    marks = list(Aside(settings.warehouse.state_dir).marks())
    if marks:
        raise PlanreconError(
            f"{len(marks)} set aside, first {marks[0].snapshot_id}: {marks[0].reason}; the next run that loads this tenant makes"
            f" up for it; to try it again first, remove {marks[0].snapshot_id}.json in {settings.warehouse.state_dir / 'aside'}"
        )
    return "none is set aside"


def _writable(folder: Path) -> str:
    if not would_take(folder.absolute()):
        raise PlanreconError(
            f"{folder} cannot be written; correct its permissions, move away what stands there, or name another in reports.dir"
        )
    return str(folder)


def _prefect() -> str:
    return f"{shown(require_answer(without()))} answers"


def _cluster(settings: Settings) -> str:
    workers = require_cluster(settings.scale)
    return f"{settings.scale.dask_address} answers; {workers} worker{'s' * (workers != 1)}, each with what is installed here"


def _no_provider() -> str:
    raise PlanreconError(f"none is configured; add a {sections_to_add()} section")


def _configured(name: str, section: ProviderSettings, state_dir: Path) -> str:
    with connect(name, section, state_dir=state_dir):
        return f"configured for {section.base_url}, not asked"


def _reach(name: str, section: ProviderSettings, state_dir: Path) -> str:
    """Sign in and read the first page of the first list; nothing is stored."""
    with connect(name, section, state_dir=state_dir) as client:
        tenants = PROVIDERS[name].tenant_ids(list(client.tenants())) or [tenant_of(name, section)]
        first = client.sweeps(tenants[0], {})[0]
        page = next(iter(client.pull(first)), None)
        size = len(page.body) if page else 0
        return f"{section.base_url} answers; {len(tenants)} tenant{'s' * (len(tenants) != 1)}, {first.name} readable ({size:,} bytes)"


def _print_assumptions(settings: Settings) -> None:
    for name, section in settings.providers.configured().items():
        streams.say(f"assumed of {name} (no page of the provider says so; override below [providers.{name}.assumed]):")
        provider = PROVIDERS[name]
        for key, entry in {**provider.ASSUMED, **(provider.desk.ASSUMED if provider.desk else {})}.items():
            mark = " (overridden)" if key in section.assumed else ""
            streams.say(f"     {key} = {section.assumed.get(key, entry.value)}{mark}: {entry.about}")
