"""The flow: the steps of the pipeline wrapped as tasks, in order, nothing else."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import as_completed
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.pipeline import Request, reconcile_portfolio
from flows.publish import Finished
from flows.runners import Result
from flows.settings import load


class PrefectTasks:
    """Calls steps as Prefect tasks without caching, retries or stored results."""

    def call(self, name: str, step: Callable[..., Result], *ids: Any) -> Result:
        """Run the step as one task."""
        with _as_task(name, step) as wrapped:
            result: Result = wrapped(*ids)
            return result

    def each(self, name: str, step: Callable[[Any], Result], ids: Sequence[Any]) -> Iterator[Result]:
        """Run the step as one task per id, at the same time."""
        with _as_task(name, step) as wrapped:
            for future in as_completed([wrapped.submit(id_) for id_ in ids]):
                yield future.result()

    def show(self, key: str, *, markdown: str | None = None, table: list[dict[str, str]] | None = None) -> None:
        """Create an artifact; amounts are text, so that nothing on the way turns them into floats."""
        name = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")
        if markdown is not None:
            create_markdown_artifact(key=name, markdown=markdown)
        if table is not None:
            create_table_artifact(key=name, table=table)


@contextmanager
def _as_task(name: str, step: Callable[..., Any]) -> Iterator[Any]:
    """Yield the step as a task. Prefect keeps every task for good, so what the step holds is let go afterwards."""
    held = [step]

    def run(*ids: Any) -> Any:
        return held[0](*ids)

    try:
        yield task(name=name, cache_policy=NO_CACHE, retries=0, persist_result=False)(run)
    finally:
        held.clear()


@flow(
    name="reconcile",
    task_runner=ThreadPoolTaskRunner(max_workers=8),  # type: ignore[arg-type]  # its generic parameter is the future's type
    persist_result=False,
    validate_parameters=True,
)
def reconcile(
    config: str | None = None,
    as_of: date | None = None,
    providers: list[str] | None = None,
    fail_on: str | None = None,
) -> State[Finished]:
    """Pull, validate, compute and report as of one date.

    Args:
        config: Path of the configuration file; `planrecon.toml` or the environment where empty.
        as_of: Civil date whose end the figures describe; today in the reporting zone where empty.
        providers: Pull only these; all configured ones where empty.
        fail_on: Severity of open break from which the run ends as one with breaks; as configured where empty.
    """
    settings = load(Path(config) if config else None)
    request = Request(settings=settings, as_of=as_of, providers=tuple(providers or ()), fail_on=fail_on)
    finished = reconcile_portfolio(request, PrefectTasks())
    return Completed(name=finished.headline, message=finished.first_line, data=finished)
