"""Show readers the newest published folder that is whole and here, however the runs before it ended."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from flows import clock, log
from flows.steps.request import ThisRun
from reports.manifest import is_as_told, is_sealed, is_whole
from reports.pruning import prune
from reports.publish import LATEST, point_latest, reseal
from schemas.words import FAILED, HELD, PUBLISHED
from sql.runs import Run, find_runs, known_load, loaded_at, replace_register
from sql.storage.archive import Archive
from sql.storage.commit_log import CommitLog
from sql.storage.commits import end_run
from sql.views import refresh_views, remove_draft, shown_folder, write_read_duckdb
from sql.warehouse import Warehouse


def record_failure(this: ThisRun, warehouse: Warehouse, reason: str) -> None:
    """Record a run that published no reports, and tell readers of it; the reports they see stay."""
    known = known_load(warehouse.con)
    run = Run(
        run_id=this.run_id,
        run_key="",
        as_of=this.as_of,
        known_load=known,
        known_at=loaded_at(warehouse.con, known) or this.started_at,
        started_at=this.started_at,
        ended_at=clock.now(),
        state=FAILED,
        exit_code=2,
        reason=reason,
    )
    end_run(warehouse.con, run, {}, commit_log=this.commit_log, archive=Archive(warehouse.state_dir))
    refresh_ledger(warehouse, this.reports_dir)


def refresh_ledger(warehouse: Warehouse, reports_dir: Path, *, except_run: str = "") -> None:
    """Show readers the newest runs, fetches and rejections: in the latest published folder, else the newest held one."""
    newest = _newest(warehouse, reports_dir, PUBLISHED) or _newest(warehouse, reports_dir, HELD)
    if newest is not None and newest.name != except_run:
        _write_views(warehouse, newest)


def _write_views(warehouse: Warehouse, folder: Path) -> None:
    write_read_duckdb(folder / "read.duckdb", folder, warehouse.con, state_dir=warehouse.state_dir)
    reseal(folder, "read.duckdb")


def settle(warehouse: Warehouse, reports_dir: Path, commit_log: CommitLog) -> None:
    """Finish, or call failed, the publication that a crash interrupted; find the folders again that were moved.

    A run whose folder was never sealed is recorded as failed. One that was sealed gets the pointer and the views.
    A folder that is not below `reports_dir`, because it was removed, or belongs to another configuration with the
    same state folder, counts as not there: its run is a published one still, and readers are shown the newest
    that is there.
    """
    con = warehouse.con
    for run in find_runs(con, state=PUBLISHED):
        if is_below(reports_dir, run) and not is_sealed(_place(reports_dir, run)):
            unpublish(warehouse, run, commit_log)
    newest = _newest(warehouse, reports_dir, PUBLISHED)
    shown = newest or _newest(warehouse, reports_dir, HELD)
    if shown is not None:
        remove_draft(shown / "read.duckdb")  # what `refresh_ledger` was stopped in
    if newest is not None and (reports_dir / LATEST).resolve() != newest.resolve():
        point_latest(reports_dir, newest)
    has_moved = shown_folder(con) != (newest.resolve() if newest else None)
    if has_moved:
        refresh_views(con, newest)
    if newest is not None and (has_moved or not is_as_told(newest, "read.duckdb")):
        # It was stopped between the file and its line in the manifest, or reads elsewhere.
        _write_views(warehouse, newest)


def prune_reports(this: ThisRun) -> None:
    """Let the folders of runs from days before the last `reports.keep_days` go without their large files.

    Whole days of the reporting zone: a run that begins a minute later than that of the day before keeps as many.
    """
    kept = this.settings.reports.keep_days
    if not kept:
        return
    zone = this.settings.zone()
    first = this.started_at.astimezone(zone).date() - timedelta(days=kept)
    since = datetime.combine(first, time(), zone)
    pruned = prune(this.reports_dir, before=since)
    if pruned.folders:
        log.LOGGER.info(
            "%d run folders from before %s lost their large files (%.1f MB); `planrecon report --as-of` makes them again",
            pruned.folders,
            since.date(),
            pruned.size / 1e6,
        )


def _newest(warehouse: Warehouse, reports_dir: Path, state: str) -> Path | None:
    """Return the newest folder of a state that is whole and here: of published ones that of the newest as-of date."""
    runs = sorted(
        (run for run in find_runs(warehouse.con, state=state) if is_below(reports_dir, run)),
        key=lambda run: (run.as_of if state == PUBLISHED else date.min, run.run_no),
        reverse=True,
    )
    return next((place for run in runs if is_whole(place := _place(reports_dir, run))), None)


def is_below(reports_dir: Path, run: Run) -> bool:
    """Tell whether the run's folder, whole or not, lies below `reports_dir`."""
    place = _place(reports_dir, run)
    return run.folder is not None and place.is_dir() and place.resolve().is_relative_to(reports_dir.resolve())


def _place(reports_dir: Path, run: Run) -> Path:
    return reports_dir / (run.folder or "")


def unpublish(warehouse: Warehouse, run: Run, commit_log: CommitLog) -> None:
    """Record that a run ended before its folder was sealed; the log and the archive know it, for a rebuild.

    Until that is recorded the run is found again: what it did to the register of breaks is undone before.
    """
    if run.moves_breaks:
        _take_back(warehouse, run)
    reason = "it was stopped before its folder was published"
    ended = replace(run, state=FAILED, reason=reason, exit_code=2, moves_breaks=False)
    end_run(warehouse.con, ended, {}, commit_log=commit_log, archive=Archive(warehouse.state_dir))


def _take_back(warehouse: Warehouse, unseen: Run) -> None:
    """Undo the register change of a run that was never published: restore that of the last published run."""
    movers = [run for run in find_runs(warehouse.con) if run.moves_breaks and run.run_id != unseen.run_id]
    archive = Archive(warehouse.state_dir)
    last = max(movers, key=lambda run: run.run_no, default=None)
    kept = archive.read(last.run_id, archive.sha256(last.run_id)) if last else None
    replace_register(warehouse.con, kept.register if kept else None)
