"""What a run is asked to do, and the run of this process that does it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from flows.errors import UsageError
from flows.settings import Settings
from sql.connection import Limits
from sql.storage.commit_log import CommitLog
from sql.storage.landing import Landing
from sql.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Request:
    """What to do: the settings, the as-of date (today where null), the providers to pull (all where empty).

    `known_at` limits a report to what was known by then; `fail_on` is the severity of
    open break from which the exit code is 1. `full` fetches everything again; `refresh` only what may have become pending
    or settled since, where a provider must be asked account by account.
    """

    settings: Settings
    as_of: date | None = None
    providers: tuple[str, ...] = ()
    known_at: datetime | None = None
    fail_on: str | None = None
    full: bool = False
    refresh: bool = False


def require_one_extent(request: Request) -> None:
    """Refuse a request for everything and for little at once.

    Raises:
        UsageError: it is both full and a refresh.
    """
    if request.full and request.refresh:
        raise UsageError("full and refresh are both given: one fetches everything again, the other little; give one")


@dataclass(frozen=True, slots=True)
class ThisRun:
    """The run of this process: what it does, its id, date and beginning, and where its files lie.

    `notes` are sentences on what was found on this machine, for whoever looks after it.
    """

    request: Request
    run_id: str
    as_of: date
    started_at: datetime
    landing: Landing
    commit_log: CommitLog
    notes: tuple[str, ...] = ()

    @property
    def settings(self) -> Settings:
        """Return the configuration."""
        return self.request.settings

    @property
    def reports_dir(self) -> Path:
        """Return the folder of reports, from the root."""
        return self.settings.reports.dir.absolute()

    def warehouse(self, limits: Limits | None = None) -> AbstractContextManager[Warehouse]:
        """Open the warehouse for writing; reports may be read and written below their folder."""
        kept = self.settings.warehouse
        return Warehouse.open(kept.path, state_dir=kept.state_dir, folders=[self.reports_dir], limits=limits)
