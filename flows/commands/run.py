"""The commands `run` and `report`: settings in, the summary out, the exit code back."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flows import log
from flows.commands import window
from flows.configuration import load
from flows.orchestrator import address, prepare_embedded, require_answer, without
from flows.sources import chosen
from flows.steps.pipeline import reconcile_portfolio, report_portfolio
from flows.steps.publish import Finished
from flows.steps.request import Request, require_one_extent
from flows.steps.runners import Direct
from reports.terminal.console import render


def run_configured(
    config: Path | None,
    *,
    as_of: date | None,
    providers: tuple[str, ...],
    as_flow: bool,
    fail_on: str | None,
    full: bool = False,
    refresh: bool = False,
) -> int:
    """Run the whole job once and print the summary; as a Prefect flow where asked for or where an API is configured."""
    settings = load(config)
    chosen(settings, providers)
    request = Request(settings, as_of, providers, fail_on=fail_on, full=full, refresh=refresh)
    require_one_extent(request)
    return tell(_as_flow(request, config) if as_flow or address() else reconcile_portfolio(request, Direct()))


def report_again(config: Path | None, *, as_of: date | None, known_at: datetime | None, fail_on: str | None) -> int:
    """Rebuild the reports from the warehouse and print the summary."""
    settings = load(config)
    moment = known_at.replace(tzinfo=UTC) if known_at is not None and known_at.tzinfo is None else known_at
    return tell(report_portfolio(Request(settings, as_of, known_at=moment, fail_on=fail_on)))


def tell(finished: Finished) -> int:
    """Print the summary and where the reports lie; return the exit code."""
    print(window.wrapped(render(finished.summary, lambda table: window.laid_out(table).splitlines())))
    print(f"reports: {_shown(finished.folder)}")
    if finished.page is not None:
        print(f"page:    {_shown(finished.page)}")
    return finished.exit_code


def _shown(path: Path) -> str:
    """Return the path as the caller would type it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _as_flow(request: Request, config: Path | None) -> Finished:
    if address():
        require_answer(without())
    else:
        log.LOGGER.info("starting Prefect (about fifteen seconds where no server runs) ...")
        prepare_embedded()
    from flows.reconcile import handing, reconcile

    try:
        with handing(request.settings):
            state: Any = reconcile(  # the declared return type is what the state holds
                config=str(config) if config else None,
                as_of=request.as_of,
                providers=list(request.providers) or None,
                fail_on=request.fail_on,
                full=request.full,
                refresh=request.refresh,
                return_state=True,
            )
    except Exception:
        if address():
            require_answer(without())  # whatever Prefect's client raised: that its API has gone says more
        raise
    outcome: Finished | Exception = state.result(raise_on_failure=False)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
