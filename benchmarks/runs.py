"""Whole runs over HTTP against providers on this machine: quiet days, ingest, store and publication."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import log
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import polars as pl

from benchmarks import pages, peers
from benchmarks.sandboxed import AS_OF, configuration, sandboxes
from benchmarks.table import Figure, require
from benchmarks.trees import ROOT, Spent, run

PUBLISHING = ("read", "compute", "checks", "publish")
"""Stages of a run that begin where everything is loaded."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a tree: CPU seconds and peak MB by stage, and the folder of its report."""

    stages: Mapping[str, Mapping[str, float]]
    folder: Path

    @property
    def cpu(self) -> float:
        """Return the CPU seconds of the whole process, its start included."""
        return sum(spent["cpu"] for spent in self.stages.values())

    def cpu_of(self, *stages: str) -> float:
        """Return the CPU seconds of some stages."""
        return sum(self.stages[name]["cpu"] for name in stages if name in self.stages)

    def peak(self, *stages: str) -> float:
        """Return the peak MB of some stages."""
        return max(self.stages[name]["peak"] for name in stages if name in self.stages)

    def told(self, most: int = 20) -> str:
        """Return the stages in one line."""
        return ", ".join(f"{name} {spent['cpu']:.1f}" for name, spent in list(self.stages.items())[:most])


def job(tree: Path, config: Path, day: date) -> Job:
    """Run the whole job of a tree in the evening of that day."""
    answer = run(tree, "-m", "benchmarks.job", str(config), f"{day}T21:00").answer
    require("state of the run", answer["state"], "PUBLISHED")
    folder = config.parent / "reports" / f"as_of={day}"
    return Job(answer["stages"], max(folder.iterdir()))


def quiet(trees: Sequence[Path], plans: int) -> Iterator[Figure]:
    """Yield the figures of a day with 1 % changed plans beside the first day, with PayIQ and without, and of its loads."""
    told = f"quiet day, 1 % changed, {plans:,} plans"
    with_payiq = _two_days(trees, plans, ("payt", "totality", "payiq"))
    yield _share(f"{told} at three providers, of the first run", with_payiq, reach=0.25, recorded=0.98)
    yield from quiet_without_payiq(trees, plans)


def quiet_without_payiq(trees: Sequence[Path], plans: int) -> Iterator[Figure]:
    """Yield the figure of a quiet day without PayIQ, and of its loads, which have next to no rows."""
    days = _two_days(trees, plans, ("payt", "totality"))
    told = f"quiet day, 1 % changed, {plans:,} plans without PayIQ, of the first run"
    yield _share(told, days, reach=0.15, recorded=0.62)
    loads = [day.cpu_of("decode", "load") / 3 for _, day in days]  # Payt has two administrations
    stage = "a load of almost nothing, per tenant"
    yield _figure(stage, loads, unit="s", reach=0.1, recorded=0.95)


def _two_days(trees: Sequence[Path], plans: int, providers: Sequence[str]) -> list[tuple[Job, Job]]:
    """Return the first run and the next day's of each tree, every tree with providers of its own, runs in turn."""
    with contextlib.ExitStack() as open_until:
        served = []
        for _ in trees:
            here = Path(open_until.enter_context(tempfile.TemporaryDirectory()))
            serving = open_until.enter_context(sandboxes(plans, here, providers))
            config = here / "planrecon.toml"
            config.write_text(configuration(serving.facts, here, providers), encoding="utf-8")
            served.append((serving, config))
        first = [job(tree, config, AS_OF) for tree, (_, config) in zip(trees, served, strict=True)]
        for serving, _ in served:
            serving.next_day(0.01)
        tomorrow = AS_OF + timedelta(days=1)
        second = [job(tree, config, tomorrow) for tree, (_, config) in zip(trees, served, strict=True)]
        for (serving, _), *runs in zip(served, first, second, strict=True):
            for each in runs:
                require("plans in the report", _plans(each.folder), serving.facts["plans"])
    return list(zip(first, second, strict=True))


def _plans(folder: Path) -> dict[str, int]:
    found = pl.read_parquet(folder / "plans.parquet").group_by("provider").len()
    return {str(provider): int(count) for provider, count in found.iter_rows()}


def _share(stage: str, days: Sequence[tuple[Job, Job]], *, reach: float, recorded: float) -> Figure:
    names = ("now", "first version")
    notes = [
        f"{name}: first run {first.cpu:.1f} CPU s, quiet day {second.cpu:.1f} ({second.told()})"
        for name, (first, second) in zip(names, days, strict=False)
    ]
    return _figure(
        stage, [second.cpu / first.cpu for first, second in days], reach=reach, recorded=recorded, notes=notes
    )


def _figure(stage: str, by_tree: Sequence[float], **told: Any) -> Figure:
    return Figure(stage, by_tree[0], first=by_tree[1] if len(by_tree) > 1 else None, **told)


@contextlib.contextmanager
def loaded(trees: Sequence[Path], plans: int) -> Iterator[tuple[str, list[Path], list[Job]]]:
    """Yield the address of one administration of so many plans, and each tree's configuration and first run of it."""
    with contextlib.ExitStack() as open_until:
        url = open_until.enter_context(pages.serving(plans))
        configs, jobs = [], []
        for tree in trees:
            config = Path(open_until.enter_context(tempfile.TemporaryDirectory())) / "planrecon.toml"
            config.write_text(pages.configuration(url, config.parent), encoding="utf-8")
            jobs.append(job(tree, config, AS_OF))
            configs.append(config)
            require_manifest(jobs[-1].folder, pages.manifest(plans))
        yield url, configs, jobs


def require_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Let a run count only where rows, money and breaks of its report are those that the generator put in."""
    plans, terms = (pl.read_parquet(folder / f"{name}.parquet") for name in ("plans", "terms"))
    breaks = pl.read_parquet(folder / "breaks.parquet").group_by("code", "reason").len()
    found = {
        "plans": plans.height,
        "terms": terms.height,
        "payments": pl.read_parquet(folder / "payments.parquet").height,
        "promised": int(terms["amount"].sum() * 100),
        "received": int(plans["received"].sum() * 100),
        "breaks": {f"{code} {reason}": count for code, reason, count in breaks.iter_rows()},
    }
    require("the report", found, dict(manifest))


def ingest(trees: Sequence[Path], plans: int, rounds: int) -> Iterator[Figure]:
    """Yield what it costs to pull, land, decode and load, beside DuckDB reading the same rows from files."""
    ours: list[list[float]] = [[] for _ in trees]
    theirs: list[dict[str, Spent]] = []
    peak = [0.0 for _ in trees]
    for _ in range(rounds):
        with loaded(trees, plans) as (url, configs, jobs):
            theirs.append(peers.ingest(url, plans))
            for number, each in enumerate(jobs):
                ours[number].append(each.cpu - each.cpu_of(*PUBLISHING))
                peak[number] = max(peak[number], each.peak(*(set(each.stages) - set(PUBLISHING))) / 1000)
            stages = [each.told() for each in jobs]
            files = [_store(config, jobs[0].folder) for config in configs]
    names = ("now", "first version")
    notes = [f"{name}: {stage}" for name, stage in zip(names, stages, strict=False)]
    for peer in theirs[0]:
        spent = [each[peer].cpu for each in theirs]
        against = median(cpu / other for cpu, other in zip(ours[0], spent, strict=True))
        notes.append(f"{peer}: {median(spent):.2f} CPU s; now {against:.1f} x that")
    files_cpu = [each["DuckDB read_ndjson of the files"].cpu for each in theirs]
    ratios = [median(cpu / other for cpu, other in zip(tree, files_cpu, strict=True)) for tree in ours]
    size = f"{plans:,} plans"
    yield _figure(f"ingest over HTTP, {size}, of read_ndjson", ratios, reach=4.5, recorded=11.2, notes=notes)
    yield _figure(f"peak of the ingest, one tenant of {size}", peak, unit="GB", reach=1.2, recorded=1.07)
    yield _figure(f"store, bytes used per term, {size}", [used for used, _ in files], unit="B", reach=16, recorded=26)
    yield _figure("store, bytes of the file per term", [whole for _, whole in files], unit="B", recorded=32.6)


def _store(config: Path, report: Path) -> tuple[float, float]:
    """Return bytes per term of the warehouse: of used blocks, and of the file."""
    terms = pl.read_parquet(report / "terms.parquet", columns=["term_id"]).height
    path = config.parent / "planrecon.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        block, used = con.sql("SELECT block_size, used_blocks FROM pragma_database_size()").fetchall()[0]
    return int(block) * int(used) / terms, path.stat().st_size / terms


def publish(trees: Sequence[Path], plans: int, rounds: int) -> Iterator[Figure]:
    """Yield what `planrecon report` costs on a warehouse of so many plans: everything computed and written again."""
    spent: list[list[Spent]] = [[] for _ in trees]
    with loaded(trees, plans) as (_, configs, jobs):
        for _ in range(rounds):
            for number, (tree, config) in enumerate(zip(trees, configs, strict=True)):
                command = ("report", "--config", str(config), "--as-of", str(AS_OF))
                spent[number].append(planrecon(tree, *command, ends=(0, 1)))
        sizes = [sum(file.stat().st_size for file in each.folder.iterdir()) / 1e6 for each in jobs]
    told = f"{plans:,} plans, {pages.manifest(plans)['terms']:,} terms"
    reach, recorded = (8, 13.7) if plans == 100_000 else (None, None)  # seconds are asked of this size alone
    cpu = [median(each.cpu for each in tree) for tree in spent]
    yield _figure(f"publish with computing, {told}", cpu, unit="s", reach=reach, recorded=recorded)
    peaks = [max(each.peak for each in tree) / 1000 for tree in spent]
    yield _figure("peak of computing and publishing, the same", peaks, unit="GB", reach=1.6, recorded=0.97)
    yield _figure("report folder, the same", sizes, unit="MB", recorded=223)


_COMMAND = """
import time
from datetime import UTC, datetime, timedelta
from flows import clock
evening = datetime(2026, 6, 30, 22, tzinfo=UTC)
clock.now, clock.today = lambda: evening + timedelta(seconds=time.time() % 3600), lambda _zone: evening.date()
from {room} import main
main()
"""
"""A command as the program starts it, its clock in the evening of the world's day."""


def whole(plans_at_most: int) -> Iterator[Figure]:
    """Yield peak and growth of whole first runs of one administration of 10,000 plans, 100,000 and so many."""
    sizes = [*(plans for plans in (10_000, 100_000) if plans < plans_at_most), plans_at_most]
    made: list[Job] = []
    for plans in sizes:
        with loaded([ROOT], plans) as (_, _, jobs):
            made += jobs
        notes = [f"{jobs[0].cpu:.1f} CPU s: {jobs[0].told()}"]
        told = f"whole run, {plans:,} plans: "
        yield Figure(f"{told}peak", jobs[0].peak(*jobs[0].stages) / 1000, unit="GB", reach=4.29, notes=notes)
        if len(made) > 1:
            exponent = log(made[-1].cpu / made[-2].cpu) / log(plans / sizes[len(made) - 2])
            yield Figure(f"{told}growth from {sizes[len(made) - 2]:,}", exponent, unit="exp", reach=1.05)


def planrecon(tree: Path, *arguments: str, ends: Sequence[int] = (0,)) -> Spent:
    """Run a command of a tree."""
    room = "flows.commands.cli" if (tree / "flows" / "commands").is_dir() else "flows.cli"
    return run(tree, "-c", _COMMAND.format(room=room), *arguments, ends=ends)


def start(trees: Sequence[Path], rounds: int) -> Iterator[Figure]:
    """Yield what small commands cost, most of it imports: the help, a query and a report on a small warehouse."""
    asked = {
        "planrecon --help": (("--help",), 0.35, 0.93),
        'planrecon query "select 1"': (("query", "select 1"), 0.8, 1.45),
        "planrecon report, 300 plans": (("report", "--as-of", str(AS_OF)), None, None),
    }
    with loaded(trees, 300) as (_, configs, _jobs):
        for stage, (command, reach, recorded) in asked.items():
            spent: list[list[float]] = [[] for _ in trees]
            for _ in range(rounds + 1):
                for number, (tree, config) in enumerate(zip(trees, configs, strict=True)):
                    where = () if command == ("--help",) else ("--config", str(config))
                    spent[number].append(planrecon(tree, *command, *where, ends=(0, 1)).cpu)
            cpu = [median(each[1:]) for each in spent]  # the first compiles
            yield _figure(stage, cpu, unit="s", reach=reach, recorded=recorded)


def both(first: Path | None) -> list[Path]:
    """Return the trees to measure, the present one first."""
    return [ROOT, *([first] if first else [])]
