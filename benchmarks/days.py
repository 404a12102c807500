"""Days one after the other, each with 1 % changed plans: what a run costs and what grows on the disk."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from benchmarks.runs import job
from benchmarks.sandboxed import AS_OF, configuration, sandboxes
from benchmarks.table import Figure
from benchmarks.trees import ROOT


def live_through(
    plans: int, days: int, keep_days: int | None, providers: Sequence[str]
) -> Iterator[Figure | tuple[str, str]]:
    """Yield a line for each day, then by how much a day grew the warehouse's file, on average after the first.

    With `keep_days`, folders of reports older than that many days are removed, as the key `reports.keep_days` says.
    """
    with tempfile.TemporaryDirectory() as folder:
        here, config = Path(folder), Path(folder) / "planrecon.toml"
        sizes = []
        with sandboxes(plans, here, providers) as serving:
            told = configuration(serving.facts, here, providers)
            if keep_days is not None:
                told = told.replace("[reports]\n", f"[reports]\nkeep_days = {keep_days}\n")
            config.write_text(told, encoding="utf-8")
            for number in range(days + 1):
                if number:
                    serving.next_day(0.01)
                run = job(ROOT, config, AS_OF + timedelta(days=number))
                sizes.append({name: _megabytes(here / name) for name in ("planrecon.duckdb", "state", "reports")})
                yield (
                    f"day {number}",
                    ", ".join(
                        (
                            f"{run.cpu:6.1f} CPU s",
                            f"{run.peak(*run.stages):,.0f} MB peak",
                            *(f"{name} {size:,.1f} MB" for name, size in sizes[-1].items()),
                        )
                    ),
                )
    first, last = sizes[0], sizes[-1]
    daily = {name: (last[name] - first[name]) / days for name in first}
    notes = [f"each day: {', '.join(f'{name} +{grown:.2f} MB' for name, grown in daily.items())}"]
    grown = 100 * daily["planrecon.duckdb"] / first["planrecon.duckdb"]
    stage = f"growth of the warehouse's file by a 1 % day, {plans:,} plans, {days} days"
    yield Figure(stage, grown, unit="%", reach=3, notes=notes)


def _megabytes(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.lstat().st_size for file in files if not file.is_symlink() and file.is_file()) / 1e6
