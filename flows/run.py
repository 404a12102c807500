"""The commands `run` and `report`: settings in, the summary out, the exit code back."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flows import log
from flows.pipeline import Request, reconcile_portfolio, report_portfolio
from flows.publish import Finished
from flows.runners import Direct
from flows.settings import Settings, load

PROFILES = Path("~/.prefect/profiles.toml")


def run_configured(
    config: Path | None, *, as_of: date | None, providers: tuple[str, ...], as_flow: bool, fail_on: str | None
) -> int:
    """Run the whole job once and print the summary; as a Prefect flow where asked for or where an API is configured."""
    settings = load(config)
    if as_flow or _has_prefect_api():
        finished = _as_flow(config, as_of, providers, fail_on)
    else:
        finished = reconcile_portfolio(Request(settings, as_of, providers, fail_on=fail_on), Direct())
    return tell(finished, settings)


def report_again(config: Path | None, *, as_of: date | None, known_at: datetime | None, fail_on: str | None) -> int:
    """Rebuild the reports from the warehouse and print the summary."""
    settings = load(config)
    moment = known_at.replace(tzinfo=UTC) if known_at is not None and known_at.tzinfo is None else known_at
    return tell(report_portfolio(Request(settings, as_of, known_at=moment, fail_on=fail_on)), settings)


def tell(finished: Finished, settings: Settings) -> int:
    """Print the summary and where the reports lie; return the exit code."""
    print(finished.text)
    pages = [finished.folder / "report.html"] if "html" in settings.reports.formats else []
    print(f"reports: {_shown(finished.folder)}")
    for page in pages:
        print(f"page:    {_shown(page)}")
    return finished.exit_code


def _shown(path: Path) -> str:
    """Return the path as the caller would type it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _as_flow(config: Path | None, as_of: date | None, providers: tuple[str, ...], fail_on: str | None) -> Finished:
    log.LOGGER.info("starting Prefect (about fifteen seconds where no server runs) ...")
    from flows.reconcile import reconcile

    state: Any = reconcile(  # the declared return type is what the state holds
        config=str(config) if config else None,
        as_of=as_of,
        providers=list(providers) or None,
        fail_on=fail_on,
        return_state=True,
    )
    finished: Finished = state.result()
    return finished


def _has_prefect_api() -> bool:
    """Tell whether a Prefect API is configured, without paying for Prefect's import where it plainly is not."""
    if os.environ.get("PREFECT_API_URL"):
        return True
    if not os.environ.get("PREFECT_PROFILE") and not PROFILES.expanduser().is_file():
        return False
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value())
