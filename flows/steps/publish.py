"""Compute as of one date, check, write the run folder, decide whether it may be seen, move the pointer."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import polars as pl

from flows import clock
from flows.errors import UsageError
from flows.steps.compute import Inputs, Part, Result, assemble, in_question, together
from flows.steps.gates import reasons_to_hold
from flows.steps.inputs import read_inputs
from flows.steps.past.earlier import earlier
from flows.steps.past.look_back import LookBack
from flows.steps.pull import Failures
from flows.steps.remembering import remember, remembered
from flows.steps.request import ThisRun
from flows.steps.run_facts import facts_of
from flows.steps.run_key import run_key
from flows.steps.settle import is_below, prune_reports, refresh_ledger, unpublish
from flows.steps.spread.parts import computed_parts
from flows.steps.written import keep_intents
from reports.facts import RunFacts
from reports.manifest import is_sealed
from reports.markdown import render as markdown_text
from reports.notices import Notices, notices
from reports.run import RunWriter
from reports.summary import Summary
from reports.terminal.console import render as console_text
from schemas.words import HELD, OPEN, PUBLISHED, SEVERITY_RANKS
from sql import acceptances
from sql.plan_history import NAME as PLAN_HISTORY
from sql.plan_history import changed_plans
from sql.runs import Run, known_load, latest_published, loaded_at, report_frames, severities, tenants_loaded
from sql.storage.archive import Archive
from sql.storage.commits import end_run
from sql.views import refresh_views, write_read_duckdb
from sql.warehouse import Warehouse
from transforms.breaks.life import live
from transforms.breaks.movement import movement
from transforms.location.references import with_references

HELD_CODE = 3
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
    summary: Summary = field(repr=False)
    markdown: str = field(repr=False)
    page: Path | None = None
    breaks: list[dict[str, str]] = field(repr=False, default_factory=list)
    notices: Notices | None = field(repr=False, default=None)

    @property
    def first_line(self) -> str:
        """Return the summary's first line."""
        return self.summary.headline

    @property
    def text(self) -> str:
        """Return the summary as plain text."""
        return console_text(self.summary)

    @property
    def headline(self) -> str:
        """Name the end for an orchestrator: clean, with breaks, or held."""
        if self.state == HELD:
            return "Held"
        return "CompletedWithBreaks" if self.exit_code else "Completed"


def publish(
    this: ThisRun, warehouse: Warehouse, *, failures: Failures, fetched: frozenset[tuple[str, str]]
) -> Finished:
    """Write the run folder whole, record the run, and let readers see it unless a gate holds it.

    Args:
        this: The run, described as of its date.
        warehouse: Open for writing.
        failures: Why a provider or tenant did not come in.
        fetched: Tenants (provider, tenant) that did in this run.

    Raises:
        UsageError: no load was known at the moment asked for.
    """
    con, asked = warehouse.con, this.request.known_at
    write_backs = keep_intents(warehouse)
    known = known_load(con, asked)
    if known == 0:
        when = f" by {asked}" if asked else ""
        raise UsageError(f"nothing was loaded{when}; call `planrecon run` first, or give a later --known-at")
    before = latest_published(con)
    if before is not None and not is_below(this.reports_dir, before):
        this = replace(this, notes=(*this.notes, _not_here(before, this.reports_dir)))
    accepted, decided_at = acceptances.known(con, asked)
    # A run knows what was loaded and what was decided: its knowledge time is that of the newer of the two.
    known_at = max(moment for moment in (loaded_at(con, known), decided_at) if moment)
    after = earlier(
        con,
        Archive(warehouse.state_dir),
        run_key=run_key(this.settings, as_of=this.as_of, known_at=known_at),
        as_of=this.as_of,
        known_at=known_at,
        asked=asked is not None,
    )
    this = replace(this, notes=(*this.notes, *filter(None, [after.note])))
    until = after.repeated.run_no if after.repeated else None
    inputs = read_inputs(con, known, as_of=this.as_of, settings=this.settings, until=until)
    inputs = replace(inputs, reasons=remembered(warehouse.state_dir))
    formats = {*this.settings.reports.formats, "parquet"}  # the views and later runs read it
    with RunWriter(this.reports_dir, as_of=this.as_of, run_id=this.run_id, formats=formats) as writer:
        result = _computed(this, inputs, warehouse, writer)
        living, register = live(
            result.breaks,
            after.register,
            as_of=this.as_of,
            evaluated=result.check_results,
            moves=after.moves,
            acceptances=accepted,
            options=inputs.options,
        )
        living = with_references(living, inputs.accounts, result.plans)
        look_back = LookBack.of(con, inputs, settings=this.settings, reports_dir=this.reports_dir, until=until)
        writer.compare(look_back.before())
        _write(writer, inputs, result, living)
        writer.write("roll", look_back.moves(result.plans))
        told = notices(living, severities(con, before) if before else {})
        seen = before.known_load if before else 0
        moved = movement(after.register, living, register) if after.moves else None
        loaded = fetched | tenants_loaded(con, seen, known)
        held, held_by_change = reasons_to_hold(this, inputs, before, loaded, moved)
        facts = facts_of(
            this,
            con,
            inputs,
            known_at=known_at,
            held=[*(fault.text for fault in failures.values() if fault.code == "conservation"), *held],
            held_by_change=held_by_change,
            break_movement=asdict(moved) if moved else {},
            causes=result.causes[:MOST_CAUSES],
            write_backs=write_backs,
            failures=failures,
            fetched=fetched,
            repeated=after.repeated,
        )
        del inputs, result, look_back  # most of what a large portfolio needs; what is left to do reads files
        folder = writer.finish(facts)
        ended = _ended(this, facts, folder, living, writer, moves=after.moves and after.is_newest)
        leads = before is None or this.as_of >= before.as_of
        _let_be_seen(this, warehouse, ended, register, writer, leads=leads and ended.state == PUBLISHED)
    refresh_ledger(warehouse, this.reports_dir, except_run=this.run_id)
    prune_reports(this)
    return Finished(
        run_id=this.run_id,
        state=ended.state,
        exit_code=ended.exit_code,
        folder=folder,
        summary=writer.summary,
        markdown=markdown_text(writer.summary),
        page=folder / "report.html" if "html" in formats else None,
        breaks=_artifact(living),
        notices=told,
    )


def _not_here(run: Run, reports_dir: Path) -> str:
    return (
        f"the folder of the last published run, {run.run_id} as of {run.as_of}, is not below {reports_dir} and counts as not "
        "there; move it there if its figures are to be seen, or make them again with `planrecon report`"
    )


def _computed(this: ThisRun, inputs: Inputs, warehouse: Warehouse, writer: RunWriter) -> Result:
    """Compute part by part, write the terms of each, and return the whole.

    Memory stays constant: a part is written and reduced before the next one is taken.
    """
    table, kept = writer.table("terms", in_order=True), in_question(inputs)

    def written(part: Part) -> Part:
        table.add(part.terms)
        return part.reduced(kept)

    with computed_parts(this, inputs, warehouse.con) as computed:
        whole = together([written(part) for part in computed])
    remember(warehouse.state_dir, inputs.reasons, [whole.reasons])
    return assemble(inputs, whole)


def _write(writer: RunWriter, inputs: Inputs, result: Result, living: pl.DataFrame) -> None:
    """Write every report but the terms."""
    writer.checks(result.check_results)
    writer.write("plans", result.plans, in_order=True)
    writer.write("payments", result.payments)
    writer.write("breaks", living)
    writer.write("aging", result.aging)
    writer.write("aging_terms", result.aging_terms)
    writer.write("kept", result.kept)
    writer.write("integrity", inputs.integrity)
    writer.write("accounts", inputs.accounts)
    writer.write("policies", inputs.policies)
    writer.write("plan_accounts", inputs.named_links)
    writer.write("cash", result.cash)
    writer.write("exposure", result.exposure)


def _ended(
    this: ThisRun, facts: RunFacts, folder: Path, living: pl.DataFrame, writer: RunWriter, *, moves: bool
) -> Run:
    """Return the run as it is recorded; one that is held, or repeats another, leaves the register of breaks as it is."""
    return Run(
        run_id=this.run_id,
        run_key=facts.run_key,
        as_of=this.as_of,
        known_load=facts.known_load,
        known_at=facts.known_at,
        started_at=this.started_at,
        ended_at=clock.now(),
        state=facts.state,
        exit_code=HELD_CODE if facts.state == HELD else _exit_code(living, this),
        reason="; ".join(facts.held_because),
        folder=folder.relative_to(this.reports_dir),
        moves_breaks=moves and facts.state == PUBLISHED,
        summary=writer.summary.as_dict(),
    )


def _exit_code(living: pl.DataFrame, this: ThisRun) -> int:
    """Return 1 where a real break is open that is at least as bad as the run may end well with."""
    fail_on = this.request.fail_on or this.settings.run.fail_on
    if fail_on == "never":
        return 0
    bad = [severity for severity, rank in SEVERITY_RANKS.items() if rank >= SEVERITY_RANKS[fail_on]]
    is_bad = pl.col("break_state").is_in(OPEN) & pl.col("severity").is_in(bad) & (pl.col("kind") == "real")
    return int(living.filter(is_bad).height > 0)


def _let_be_seen(
    this: ThisRun, warehouse: Warehouse, ended: Run, register: pl.DataFrame, writer: RunWriter, *, leads: bool
) -> None:
    """Record the run for good, seal its folder and, unless it is held, move pointer and views; or none of it.

    One that `leads`, which readers will see as the latest, adds to the history of plans what is another in it.
    """
    con, folder = warehouse.con, this.reports_dir / (ended.folder or "")
    archive = Archive(warehouse.state_dir)
    frames = report_frames(folder)
    if leads:
        frames[PLAN_HISTORY] = changed_plans(con, pl.scan_parquet(folder / "plans.parquet", glob=False), this.as_of)
    try:
        end_run(con, ended, frames, register, commit_log=this.commit_log, archive=archive)
        write_read_duckdb(folder / "read.duckdb", folder, con, state_dir=warehouse.state_dir)
        if writer.publish():
            refresh_views(con, folder)
    except BaseException:
        if not is_sealed(folder):
            writer.stays = True  # should this fail as well, the next start finds an unsealed folder
            unpublish(warehouse, ended, this.commit_log)
            writer.stays = False
        raise


def _artifact(living: pl.DataFrame) -> list[dict[str, str]]:
    """Return the first open breaks as rows of text, the worst first."""
    rank = pl.col("severity").replace_strict(dict(SEVERITY_RANKS), return_dtype=pl.Int64)
    shown = living.filter(pl.col("break_state").is_in(OPEN)).sort(
        rank, "code", "fingerprint", descending=[True, False, False]
    )
    columns = ("severity", "break_state", "code", "reason", "provider", "plan_id", "expected", "actual", "explanation")
    return shown.head(ARTIFACT_ROWS).select(pl.col(columns).cast(pl.String).fill_null("")).to_dicts()
