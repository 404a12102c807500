"""`make bench`: one table of figures and ratios, all taken in this run; only schedules that disagree make it fail.

`python -m benchmarks` takes about a quarter of an hour, most of it for the agreement of a million schedules with a
second implementation; `BENCH_PLANS=20000` compares fewer. `--full` also works a million plans elsewhere.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import agreement, core, schedules
from benchmarks.sandboxed import configuration, sandboxes


def whole_job(plans: int) -> list[tuple[str, str]]:
    """Return lines of the table: the whole job over HTTP against the sandboxes, then a day with 1 % changed plans."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        with sandboxes(plans, here) as serving:
            config = here / "planrecon.toml"
            config.write_text(configuration(serving.facts, here), encoding="utf-8")
            first = _job(config, "2026-06-30T21:00")
            serving.next_day(0.01)
            second = _job(config, "2026-07-01T21:00")
    rows = first["rows"]
    lines = [(f"whole job, {plans:,} plans, {rows:,} rows received", f"{_total(first):6.1f} CPU s")]
    lines += [
        (
            f"  {name}",
            f"{spent['cpu']:6.1f} CPU s  {spent['wall']:6.1f} s  {rows / max(spent['wall'], 0.001):>9,.0f} rows/s  {spent['peak']:>6,} MB",
        )
        for name, spent in first["stages"].items()
    ]
    peak = max(spent["peak"] for spent in first["stages"].values())
    lines.append(("  peak memory", f"{peak:,} MB"))
    lines.append(("  store", f"{first['store'] / 1e6:.1f} MB; reports {first['reports'] / 1e6:.1f} MB"))
    lines.append(
        ("the next day, 1 % changed", f"{_total(second):6.1f} CPU s   {_total(second) / _total(first):.2f} x the first")
    )
    return lines


def _job(config: Path, moment: str) -> dict:
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.job", str(config), moment], capture_output=True, text=True, check=True
    )
    return json.loads(answer.stdout.splitlines()[-1])


def _total(job: dict) -> float:
    return sum(spent["cpu"] for spent in job["stages"].values())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--full", action="store_true", help="a million plans; half an hour")
    parser.add_argument("--plans", type=int, default=agreement.PLANS, help="schedules held against a second one")
    chosen = parser.parse_args()
    sections = (
        ("positions", lambda: core.bench(1_000_000 if chosen.full else 100_000)),
        ("schedules, a hundred thousand", lambda: schedules.bench(100_000)),
        ("schedules, a million", lambda: schedules.bench(1_000_000)),
        ("schedules beside a second implementation", lambda: agreement.bench(chosen.plans)),
        ("the whole job over HTTP", lambda: whole_job(10_000)),
    )
    for title, run in sections:
        print(f"\n{title}")
        for name, figure in run():
            print(f"  {name:<62}{figure}", flush=True)


if __name__ == "__main__":
    main()
