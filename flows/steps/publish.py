"""Compute as of one date, check, write the run folder, decide whether it may be seen, move the pointer."""

import hashlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import polars as pl

from flows import clock
from flows.errors import UsageError
from flows.settings import Settings
from flows.steps.compute import Inputs, Part, Result, assemble, compute_part, in_question, parts_of
from flows.steps.gates import changed_too_much, reasons_to_hold
from flows.steps.inputs import read_inputs
from flows.steps.pauses import read_pauses
from reports.console import render as console_text
from reports.facts import HELD, PUBLISHED, BucketFacts, CalendarFacts, RunFacts
from reports.facts import Source as SourceFacts
from reports.manifest import is_as_told, is_sealed
from reports.markdown import render as markdown_text
from reports.publish import LATEST, point_latest, reseal
from reports.run import RunWriter
from reports.summary import Summary
from schemas.options import Options
from sql.core import images
from sql.runs import (
    FAILED,
    Run,
    clock_skews,
    find_runs,
    known_load,
    latest_published,
    loaded_at,
    read_register,
    replace_register,
    report_frames,
    tenants_loaded,
)
from sql.storage.archive import Archive
from sql.storage.commit_log import CommitLog
from sql.storage.commits import end_run
from sql.views import refresh_views, shown_folder, write_read_duckdb
from sql.warehouse import SCHEMA_VERSION, Warehouse
from transforms.breaks.life import live
from transforms.delinquency.buckets import bucket_set
from transforms.location.references import with_references

RANKS = {"low": 0, "medium": 1, "high": 2, "critical": 3}
OPEN = ("NEW", "ONGOING", "CHANGED", "REOPENED", "NOT_EVALUATED")
HELD_CODE = 3
FIGURES = frozenset(
    {
        "tenant",
        "timezone",
        "currency",
        "currency_symbols",
        "grace_days",
        "tolerance",
        "allocates",
        "bucket_set",
        "calendar",
        "weekend",
        "closed_days",
        "conventions",
        "assumed",
    }
)
"""Keys of a provider's section that can change a figure."""
MOST_CAUSES = 8
"""Root causes told in the summary, the largest first."""
ARTIFACT_ROWS = 200
"""Breaks shown in an orchestrator's table; all of them are in the report."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended, for the exit code, the artifacts and the terminal."""

    run_id: str
    state: str
    exit_code: int
    folder: Path
    first_line: str
    text: str = field(repr=False)
    markdown: str = field(repr=False)
    page: Path | None = None
    breaks: list[dict[str, str]] = field(repr=False, default_factory=list)

    @property
    def headline(self) -> str:
        """Name the end for an orchestrator: clean, with breaks, or held."""
        if self.state == HELD:
            return "Held"
        return "CompletedWithBreaks" if self.exit_code else "Completed"


@dataclass(frozen=True, slots=True)
class Publication:
    """What one run publishes: the warehouse as known at one load, described as of one date.

    `failures` tells (code, sentence) per provider and tenant that did not come in;
    `fetched` names those that did in this run. `write_backs` tells what needs a person there,
    `notes` what was found on this machine.
    """

    warehouse: Warehouse
    settings: Settings
    run_id: str
    as_of: date
    started_at: datetime
    known_at: datetime | None
    fail_on: str
    commit_log: CommitLog
    failures: Mapping[tuple[str, str], tuple[str, str]]
    fetched: frozenset[tuple[str, str]]
    write_backs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def publish(self) -> Finished:
        """Write the run folder whole, record the run, and let readers see it unless a gate holds it.

        Raises:
            UsageError: nothing was known at the moment asked for.
        """
        con = self.warehouse.con
        known = known_load(con, self.known_at)
        if known == 0:
            when = f" by {self.known_at}" if self.known_at else ""
            raise UsageError(f"nothing was loaded{when}; call `planrecon run` first, or give a later --known-at")
        before = latest_published(con)
        settings = self.settings
        reports_dir = settings.reports.dir.absolute()
        missing = before is not None and not _is_below(reports_dir, before)
        inputs = read_inputs(con, known, as_of=self.as_of, settings=settings)
        integrity = images.integrity(con, known)
        formats = {*self.settings.reports.formats, "parquet"}  # the views and later runs read it
        with RunWriter(self.settings.reports.dir, as_of=self.as_of, run_id=self.run_id, formats=formats) as writer:
            moves = before is None or self.as_of >= before.as_of
            result = self._computed(inputs, known, writer)
            living, register = self._write(writer, inputs, result, integrity, moves=moves)
            rows = images.current_rows(con, known)
            held, changed = self._gates(inputs.completeness, integrity, rows, known, before)
            facts = self._facts(inputs.completeness, rows, known, held=held, changed=changed, causes=result.causes)
            if before is not None and missing:
                facts = replace(facts, notes=(*facts.notes, _not_here(before, reports_dir)))
            folder = writer.finish(facts)
            exit_code = self._exit_code(facts, living)
            run = self._run(facts, folder, exit_code, moves=moves and facts.state == PUBLISHED, summary=writer.summary)
            archive = Archive(self.warehouse.state_dir)
            try:
                end_run(con, run, report_frames(folder), register, commit_log=self.commit_log, archive=archive)
                write_read_duckdb(folder / "read.duckdb", folder, con)
                if writer.publish():
                    refresh_views(con, folder)
            except BaseException:
                if not is_sealed(folder):
                    writer.stays = True  # should this fail as well, the next start finds an unsealed folder
                    _unpublish(self.warehouse, run, self.commit_log)
                    writer.stays = False
                raise
        refresh_ledger(self.warehouse, reports_dir, except_run=self.run_id)
        return Finished(
            run_id=self.run_id,
            state=facts.state,
            exit_code=exit_code,
            folder=folder,
            first_line=writer.summary.headline,
            text=console_text(writer.summary),
            markdown=markdown_text(writer.summary),
            page=folder / "report.html" if "html" in formats else None,
            breaks=_artifact(living),
        )

    def _computed(self, inputs: Inputs, known: int, writer: RunWriter) -> Result:
        """Compute part by part, write the terms of each, and return the whole.

        Memory stays constant: nothing holds a part in full while the next one is computed.
        """
        table, kept = writer.table("terms", in_order=True), in_question(inputs)

        def written(plan_nos: pl.Series) -> Part:
            part = compute_part(inputs, plan_nos, images.terms(self.warehouse.con, known, plan_nos))
            table.add(part.terms)
            return part.reduced(kept)

        return assemble(inputs, [written(plan_nos) for plan_nos in parts_of(inputs.plans)])

    def _write(
        self, writer: RunWriter, inputs: Inputs, result: Result, integrity: pl.DataFrame, *, moves: bool
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Write every report but the terms; return the breaks with their life, and the register after this run."""
        register = read_register(self.warehouse.con)
        living, after = live(
            result.breaks,
            register,
            as_of=self.as_of,
            evaluated=result.check_results,
            moves=moves,
            options=inputs.options,
        )
        living = with_references(living, inputs.accounts, result.plans)
        writer.checks(result.check_results)
        writer.write("plans", result.plans, in_order=True)
        writer.write("payments", result.payments)
        writer.write("breaks", living)
        writer.write("aging", result.aging)
        writer.write("aging_terms", result.aging_terms)
        writer.write("integrity", integrity)
        writer.write("accounts", inputs.accounts)
        writer.write("policies", inputs.policies)
        writer.write("plan_accounts", inputs.named_links)
        return living, after

    def _gates(
        self,
        completeness: pl.DataFrame,
        integrity: pl.DataFrame,
        rows: Mapping[tuple[str, str], int],
        known: int,
        before: Run | None,
    ) -> tuple[list[str], list[str]]:
        """Return why the run is held, and the providers whose rows changed too much to be believed."""
        gates = self.settings.gates
        seen = before.known_load if before else 0
        fetched = self.fetched | tenants_loaded(self.warehouse.con, seen, known)
        reasons = [text for code, text in self.failures.values() if code == "conservation"]
        counted = (before.summary or {}).get("current_rows", {}) if before else {}
        changes = changed_too_much(
            gates,
            {(key.split(" ")[0], key.split(" ")[1]): count for key, count in counted.items()},
            rows,
            completeness,
            fetched,
        )
        reasons += reasons_to_hold(
            gates,
            now=min(self.started_at, self.known_at or self.started_at),
            expected=tuple(self.settings.providers.configured()),
            integrity=integrity,
            completeness=completeness,
            changes=changes,
            fetched_now=fetched,
        )
        return reasons, sorted({change.provider for change in changes})

    def _facts(
        self,
        completeness: pl.DataFrame,
        rows: Mapping[tuple[str, str], int],
        known: int,
        *,
        held: list[str],
        changed: list[str],
        causes: list[str],
    ) -> RunFacts:
        con = self.warehouse.con
        known_at = loaded_at(con, known) or self.started_at
        run = self.settings.run
        return RunFacts(
            run_id=self.run_id,
            run_key=self._run_key(known_at),
            as_of=self.as_of,
            started_at=self.started_at,
            known_at=known_at,
            known_load=known,
            code_version=version(),
            state=HELD if held else PUBLISHED,
            held_because=tuple(held),
            sources=tuple(self._sources(completeness, known)),
            causes=tuple(causes[:MOST_CAUSES]),
            write_backs=self.write_backs,
            notes=self.notes,
            options={
                "timezone": run.timezone,
                "grace_days": str(run.grace_days),
                "tolerance": run.tolerance,
                "bucket_set": run.bucket_set,
                "calendar": run.calendar,
            },
            buckets={name: _bucket_facts(own) for name, own in self.settings.options().items()},
            calendars=tuple(self._calendars()),
            held_by_change=tuple(changed),
            current_rows={f"{provider} {entity}": count for (provider, entity), count in sorted(rows.items())},
        )

    def _calendars(self) -> Iterator[CalendarFacts]:
        known = self.settings.calendars()
        for name in self.settings.providers.configured():
            yield CalendarFacts(name, known[name].label, known[name].weekend, len(known[name].own_days))

    def _sources(self, completeness: pl.DataFrame, known: int) -> list[SourceFacts]:
        fresh = {
            (provider, tenant): fresh_at
            for provider, tenant, fresh_at in completeness.group_by("provider", "tenant_id")
            .agg(pl.when(pl.col("fresh_at").is_null().any()).then(None).otherwise(pl.col("fresh_at").min()).first())
            .iter_rows()
        }
        all_skews = clock_skews(self.warehouse.con, known)
        limit = self.settings.run.clock_skew_minutes * 60
        skews = {key: skew for key, skew in all_skews.items() if key in self.fetched and limit and abs(skew) >= limit}
        # What kept a whole provider from being read kept each of its tenants.
        loaded = {provider for provider, _ in fresh}
        failures = {key: told for key, told in self.failures.items() if key[1] or key[0] not in loaded}
        whole = {provider: told for (provider, tenant), told in self.failures.items() if not tenant}
        return [
            SourceFacts(
                provider,
                tenant or None,
                fresh.get((provider, tenant)),
                error_code=code,
                error=text,
                clock_skew_seconds=skews.get((provider, tenant)),
            )
            for provider, tenant in sorted({*fresh, *failures})
            for code, text in [failures.get((provider, tenant)) or whole.get(provider) or (None, None)]
        ]

    def _run_key(self, known_at: datetime) -> str:
        """Hash what decides the bytes of a run: settings, code, date, knowledge. Secrets and addresses do not."""
        parts = (
            fingerprint(self.settings),
            version(),
            str(SCHEMA_VERSION),
            self.as_of.isoformat(),
            known_at.isoformat(),
        )
        return hashlib.sha256("|".join(parts).encode()).hexdigest()

    def _exit_code(self, facts: RunFacts, living: pl.DataFrame) -> int:
        if facts.state == HELD:
            return HELD_CODE
        if self.fail_on == "never":
            return 0
        bad = [severity for severity, rank in RANKS.items() if rank >= RANKS[self.fail_on]]
        found = living.filter(
            pl.col("break_state").is_in(OPEN) & pl.col("severity").is_in(bad) & (pl.col("kind") == "real")
        )
        return 1 if found.height else 0

    def _run(self, facts: RunFacts, folder: Path, exit_code: int, *, moves: bool, summary: Summary) -> Run:
        return Run(
            run_id=self.run_id,
            run_key=facts.run_key,
            as_of=self.as_of,
            known_load=facts.known_load,
            known_at=facts.known_at,
            started_at=self.started_at,
            ended_at=clock.now(),
            state=facts.state,
            exit_code=exit_code,
            reason="; ".join(facts.held_because),
            folder=folder.relative_to(self.settings.reports.dir.absolute()),
            moves_breaks=moves,
            summary=summary.as_dict(),
        )


def record_failure(
    warehouse: Warehouse,
    *,
    run_id: str,
    as_of: date,
    started_at: datetime,
    reason: str,
    commit_log: CommitLog,
    reports_dir: Path,
) -> None:
    """Record a run that published nothing, and tell readers of it; what they see stays as it was."""
    con = warehouse.con
    known = known_load(con)
    run = Run(
        run_id=run_id,
        run_key="",
        as_of=as_of,
        known_load=known,
        known_at=loaded_at(con, known) or started_at,
        started_at=started_at,
        ended_at=clock.now(),
        state=FAILED,
        exit_code=2,
        reason=reason,
    )
    end_run(con, run, {}, commit_log=commit_log, archive=Archive(warehouse.state_dir))
    refresh_ledger(warehouse, reports_dir.absolute())


def refresh_ledger(warehouse: Warehouse, reports_dir: Path, *, except_run: str = "") -> None:
    """Let readers see the runs, fetches and rejections of today: in the latest published folder, else the newest held one."""
    shown = _newest(warehouse, reports_dir, PUBLISHED) or _newest(warehouse, reports_dir, HELD)
    if shown is not None and shown.name != except_run:
        _write_views(warehouse, shown)


def _write_views(warehouse: Warehouse, folder: Path) -> None:
    write_read_duckdb(folder / "read.duckdb", folder, warehouse.con)
    reseal(folder, "read.duckdb")


def settle(warehouse: Warehouse, reports_dir: Path, commit_log: CommitLog) -> None:
    """Finish, or call failed, the publication that a crash interrupted; find the folders again that were moved.

    A run whose folder was never sealed is recorded as failed. One that was sealed gets the pointer and the views.
    A folder that is not below `reports_dir`, because it was removed, or belongs to another configuration with the
    same state folder, counts as not there: its run is a published one still, and readers are shown the newest
    that is there.
    """
    con, reports_dir = warehouse.con, reports_dir.absolute()
    for run in find_runs(con, state=PUBLISHED):
        if _is_below(reports_dir, run) and not is_sealed(_place(reports_dir, run)):
            _unpublish(warehouse, run, commit_log)
    shown = _newest(warehouse, reports_dir, PUBLISHED)
    if shown is not None and (reports_dir / LATEST).resolve() != shown.resolve():
        point_latest(reports_dir, shown)
    has_moved = shown_folder(con) != (shown.resolve() if shown else None)
    if has_moved:
        refresh_views(con, shown)
    if shown is not None and (has_moved or not is_as_told(shown, "read.duckdb")):
        _write_views(
            warehouse, shown
        )  # it was stopped between the file and its line in the manifest, or reads elsewhere


def _newest(warehouse: Warehouse, reports_dir: Path, state: str) -> Path | None:
    """Return the newest folder of a state that is whole and here: of published ones that of the newest as-of date."""
    runs = [
        run
        for run in find_runs(warehouse.con, state=state)
        if _is_below(reports_dir, run) and is_sealed(_place(reports_dir, run))
    ]
    newest = max(runs, key=lambda run: (run.as_of if state == PUBLISHED else date.min, run.run_no), default=None)
    return _place(reports_dir, newest) if newest else None


def _is_below(reports_dir: Path, run: Run) -> bool:
    """Tell whether the run's folder, whole or not, lies below `reports_dir`."""
    place = _place(reports_dir, run)
    return run.folder is not None and place.is_dir() and place.resolve().is_relative_to(reports_dir.resolve())


def _place(reports_dir: Path, run: Run) -> Path:
    return reports_dir / (run.folder or "")


def _not_here(run: Run, reports_dir: Path) -> str:
    return (
        f"the folder of the last published run, {run.run_id} as of {run.as_of}, is not below {reports_dir} and counts as not "
        "there; move it there if its figures are to be seen, or make them again with `planrecon report`"
    )


def _unpublish(warehouse: Warehouse, run: Run, commit_log: CommitLog) -> None:
    """Record that a run ended before its folder was sealed; the log and the archive know it, for a rebuild."""
    reason = "it was stopped before its folder was published"
    ended = replace(run, state=FAILED, reason=reason, exit_code=2, moves_breaks=False)
    end_run(warehouse.con, ended, {}, commit_log=commit_log, archive=Archive(warehouse.state_dir))
    if run.moves_breaks:
        _take_back(warehouse, run)


def _take_back(warehouse: Warehouse, unseen: Run) -> None:
    """Let the register of breaks be as the last run left it that anybody saw: what nobody saw did not happen."""
    movers = [run for run in find_runs(warehouse.con) if run.moves_breaks and run.run_id != unseen.run_id]
    archive = Archive(warehouse.state_dir)
    last = max(movers, key=lambda run: run.run_no, default=None)
    kept = archive.read(last.run_id, archive.sha256(last.run_id)) if last else None
    replace_register(warehouse.con, kept.register if kept else None)


def version() -> str:
    """Return the version of this program."""
    return importlib.metadata.version("planrecon")


def fingerprint(settings: Settings) -> str:
    """Return the settings that can change a figure, as canonical JSON: no secret, no path, no address."""
    providers = {
        name: {key: str(value) for key, value in section if key in FIGURES}
        for name, section in settings.providers.configured().items()
    }
    told = {
        "run": settings.run.model_dump(mode="json", exclude={"pauses_file"}),
        "pauses": [replace(pause, place="") for pause in read_pauses(settings.run.pauses_file)],
        "outcome": settings.outcome.model_dump(mode="json"),
        "buckets": settings.buckets.ranges,
        "providers": providers,
        "calendars": {name: each.label for name, each in settings.calendars().items()},  # another edition, other days
    }
    return json.dumps(told, sort_keys=True, default=str)


def _bucket_facts(options: Options) -> BucketFacts:
    known = bucket_set(options.bucket_set)
    return BucketFacts(known.labels, "days" if known.measure == "days_past_due" else "months")


def _artifact(living: pl.DataFrame) -> list[dict[str, str]]:
    """Return the first open breaks as rows of text, the worst first."""
    rank = pl.col("severity").replace_strict(RANKS, return_dtype=pl.Int64)
    shown = living.filter(pl.col("break_state").is_in(OPEN)).sort(
        rank, "code", "fingerprint", descending=[True, False, False]
    )
    columns = ("severity", "break_state", "code", "reason", "provider", "plan_id", "expected", "actual", "explanation")
    return shown.head(ARTIFACT_ROWS).select(pl.col(columns).cast(pl.String).fill_null("")).to_dicts()
