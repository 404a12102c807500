"""The flow: the steps of the pipeline wrapped as tasks, in order."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, as_completed
from prefect.logging.handlers import APILogHandler
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows import clock, log
from flows.commands.options import ProviderName
from flows.configuration import load
from flows.deploy import flow_runs
from flows.endings import ending
from flows.errors import PlanreconError
from flows.settings import Settings
from flows.steps.pipeline import reconcile_portfolio
from flows.steps.publish import Finished
from flows.steps.request import Request, require_one_extent
from flows.steps.runners import Result
from schemas.words import HELD, FailOn

BUSY_CODE = 5


class PrefectTasks:
    """Calls steps as Prefect tasks without caching, retries or stored results."""

    def __init__(self) -> None:
        self._ended: dict[str, State[Any] | PrefectFuture[Any]] = {}

    def begin(self, state_dir: Path) -> None:
        """Let Prefect know which flow runs of this state folder ended without a word, and later runs who this one is."""
        flow_runs.begin(state_dir)

    def call(self, name: str, step: Callable[[], Result], *, after: Collection[str] = ()) -> Result:
        """Run the step as one task, drawn behind those of `after` that were tasks of this run."""
        with _let_go(step) as held:

            def run() -> (
                Any
            ):  # without any parameter: Prefect draws a line from each result that shares an object with it
                return _outcome(held[0])

            state: State[Any] = _task(name, run)(return_state=True, wait_for=self._behind(after))
            if state.is_completed():  # no task may wait for a failed step: later steps go on without it
                self._ended[name] = state
            result: Result = state.result()
            return result

    def each(
        self, name: str, step: Callable[[str], Result], ids: Sequence[str], *, after: Mapping[str, str] | None = None
    ) -> Iterator[Result]:
        """Run the step as one task per id, at the same time."""
        with _let_go(step) as held:
            futures = {}
            for id_ in ids:
                behind = self._behind([after[id_]] if after else ())
                run = _task(f"{name} {id_}", lambda id_=id_: _outcome(partial(held[0], id_)))
                futures[run.submit(wait_for=behind)] = f"{name} {id_}"
            for future in as_completed(list(futures)):
                self._ended[futures[future]] = future
                yield future.result()

    def show(
        self,
        key: str,
        *,
        markdown: str | None = None,
        table: list[dict[str, str]] | None = None,
        link: str | None = None,
    ) -> None:
        """Create an artifact; amounts are text, so that they never become floats."""
        name = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")
        if markdown is not None:
            create_markdown_artifact(key=name, markdown=markdown)
        if table is not None:
            create_table_artifact(key=name, table=table)
        if link is not None:
            create_link_artifact(key=name, link=link, link_text=link.rpartition("/")[2])

    def _behind(self, names: Collection[str]) -> list[State[Any] | PrefectFuture[Any]]:
        return [self._ended[name] for name in names if name in self._ended]


def _outcome(step: Callable[[], Any]) -> Any:
    """Return what the step returns; an error as the state in which its task failed: Prefect would log a traceback."""
    try:
        return step()
    except Exception as error:  # noqa: BLE001  raised again where the result is asked for
        return Failed(message=log.masked(f"{type(error).__name__}: {error}"), data=error)


def _task(name: str, run: Callable[..., Any]) -> Any:
    """Return `run` as a task; the name is the task run's name too, taken literally."""
    return task(name=name, task_run_name=lambda: name, cache_policy=NO_CACHE, retries=0, persist_result=False)(run)


@contextmanager
def _let_go(step: Callable[..., Any]) -> Iterator[list[Callable[..., Any]]]:
    """Yield the step in a list. Prefect keeps every task for good, so what the step holds is let go afterwards."""
    held = [step]
    try:
        yield held
    finally:
        held.clear()


@contextmanager
def telling_the_run() -> Iterator[None]:
    """Send our progress to the log of the flow run too, and to standard error also in a worker."""
    if not log.LOGGER.handlers:
        log.configure()
    handler = log.redacted(APILogHandler())
    log.LOGGER.addHandler(handler)
    try:
        yield
    finally:
        log.LOGGER.removeHandler(handler)


def ended(step: Callable[[], State[Any]]) -> State[Any]:
    """Return the state in which a flow ends; an error is its data, and one sentence its message."""
    with telling_the_run():
        try:
            return step()
        except Exception as error:  # noqa: BLE001  whoever called the flow gets its end; Prefect would print a traceback
            end = ending(error)
            end.__cause__ = error
            message = log.masked(f"{end.code}: {end}")
            if end.exit_code == BUSY_CODE:
                return Cancelled(name="Busy", message=message, data=end)
            return Failed(message=message, data=end)


_handed: ContextVar[Settings | None] = ContextVar("settings handed on by the command that calls the flow", default=None)


@contextmanager
def handing(settings: Settings) -> Iterator[None]:
    """Let flows that are called within use these settings: a flow's own parameters are a path, a date and words."""
    token = _handed.set(settings)
    try:
        yield
    finally:
        _handed.reset(token)


def _settings(config: str | None) -> Settings:
    """Return what the command handed on, else what the configuration says."""
    return _handed.get() or _read(flow_run.id, config)


@lru_cache(maxsize=1)
def _read(_flow_run: str, config: str | None) -> Settings:
    """Read the configuration once for a flow run: Prefect asks for the name of a run before it calls the flow."""
    return load(Path(config) if config else None)


def _run_name() -> str:
    """Name the run by its as-of date: today in the reporting zone where none is given."""
    parameters: dict[str, Any] = flow_run.parameters
    try:
        return f"reconcile {parameters.get('as_of') or clock.today(_settings(parameters.get('config')).zone())}"
    except PlanreconError:
        return "reconcile"  # the run itself tells what is wrong with its configuration


@flow(
    name="reconcile",
    flow_run_name=_run_name,
    task_runner=ThreadPoolTaskRunner(max_workers=8),  # type: ignore[arg-type]  # its generic parameter is the future's type
    persist_result=False,
    validate_parameters=True,
    **flow_runs.AT_THE_END,
)
def reconcile(
    config: str | None = None,
    as_of: date | None = None,
    providers: list[ProviderName] | None = None,
    fail_on: FailOn | None = None,
    *,
    full: bool = False,
    refresh: bool = False,
) -> State[Finished]:
    """Pull, validate, compute and report as of one date.

    Args:
        config: Path of the configuration file on the machine where the run takes place, from the root; set by
            `planrecon deploy` and `planrecon serve`.
        as_of: Civil date whose end the figures describe; today in the reporting zone where empty.
        providers: Pull only these; all configured ones where empty.
        fail_on: Severity of open break from which the run ends as one with breaks; as configured where empty.
        full: Fetch everything again, not only what changed since the last fetch.
        refresh: Fetch only what may have become pending or settled since; who is asked account by account is asked for few.
    """

    def step() -> State[Finished]:
        request = Request(
            settings=_settings(config),
            as_of=as_of,
            providers=tuple(providers or ()),
            fail_on=fail_on,
            full=full,
            refresh=refresh,
        )
        require_one_extent(request)
        finished = reconcile_portfolio(request, PrefectTasks())
        kind = Failed if finished.state == HELD else Completed
        link = f"\n{finished.page.as_uri()}" if finished.page is not None else ""
        return kind(name=finished.headline, message=f"{finished.first_line}{link}", data=finished)

    return ended(step)
