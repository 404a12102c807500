"""The command `open`: the page of the latest published run, in the browser."""

import webbrowser
from collections.abc import Callable
from pathlib import Path

from flows import streams
from flows.configuration import load
from flows.errors import UsageError
from flows.log import LOGGER
from reports.manifest import is_sealed
from reports.publish import HELD_BELOW, LATEST, run_folders

PAGE = "report.html"


def open_latest(config: Path | None, *, browse: Callable[[str], bool] = webbrowser.open) -> int:
    """Open the latest page, print its path and return 0; say so where a newer run was held.

    Raises:
        UsageError: there is no such page.
    """
    reports = load(config).reports.dir
    held = _newest_held(reports)
    page = reports / LATEST / PAGE
    if not page.is_file():
        raise UsageError(_missing(reports, held))
    folder = page.resolve().parent
    if held is not None and held.name > folder.name:
        LOGGER.warning("the newest run was held and is not this page: %s says why", _page_of(held))
    streams.say(str(folder / PAGE))
    if not browse((folder / PAGE).as_uri()):
        LOGGER.warning("no browser can be started here; open that path in one")
    return 0


def _newest_held(reports: Path) -> Path | None:
    if not reports.is_dir():
        return None
    below = reports / HELD_BELOW
    held = [folder for folder in run_folders(reports) if below in folder.parents and is_sealed(folder)]
    return max(held, key=lambda folder: folder.name, default=None)


def _missing(reports: Path, held: Path | None) -> str:
    if (reports / LATEST).exists():
        return 'the latest published run wrote no page; add "html" to reports.formats and call `planrecon report`'
    why = f"; the newest run was held, {_page_of(held)} says why" if held is not None else ""
    return f"nothing is published below {str(reports)!r} yet{why}; call `planrecon run` first"


def _page_of(folder: Path) -> Path:
    page = folder / PAGE
    return page if page.is_file() else folder / "summary.json"
