"""`make bench`: the table of what each stage costs, row by row, beside the first version and other ways, all taken in this run.

A figure counts only where rows, money and breaks are what the generator put in; otherwise the command fails.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks import agreement, core, days, requests, runs
from benchmarks.table import HEAD, Figure, WrongResult
from benchmarks.trees import CommandError, first_version
from sandbox.world import PROVIDERS


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rows that are asked for; return 1 where a case does not count."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help=f"which rows, all where none is named: {', '.join(CASES)}"
    )
    parser.add_argument("--full", action="store_true", help="the long ones too: a million plans, a million schedules")
    parser.add_argument("--plans", type=int, help="another number of plans than each case has")
    parser.add_argument("--rounds", type=int, default=3, help="rounds in turn, of which the median counts (3)")
    parser.add_argument("--days", type=int, default=30, help="of the case `days` (30)")
    parser.add_argument("--keep-days", type=int, help="of the case `days`: reports.keep_days in the configuration")
    parser.add_argument(
        "--providers",
        nargs="+",
        choices=PROVIDERS,
        default=PROVIDERS,
        help="of the case `days`: who has the plans (all)",
    )
    parser.add_argument("--alone", action="store_true", help="without the first version: half the time")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.cases) - set(CASES)
    if unknown:
        parser.error(f"no case is named {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    first = None if chosen.alone else first_version()
    if first is None and not chosen.alone:
        print("The first version is not in this repository's history: its figures are those once recorded.")
    print(HEAD)
    failed = False
    left_out = WITHIN if chosen.full else WITHIN | LONG
    for name in chosen.cases or [name for name in CASES if name not in left_out]:
        try:
            for figure in CASES[name](chosen, runs.both(first)):
                print(
                    "\n".join(figure.lines()) if isinstance(figure, Figure) else f"  {figure[0]:<62}{figure[1]}",
                    flush=True,
                )
        except (WrongResult, CommandError, SystemExit) as error:
            failed = True
            print(f"{name}: {error}", flush=True)
    return int(failed)


Case = Callable[[argparse.Namespace, Sequence[Path]], Iterable[Figure | tuple[str, str]]]
CASES: dict[str, Case] = {
    "quiet": lambda chosen, trees: runs.quiet(trees, chosen.plans or 10_000),
    "load": lambda chosen, trees: runs.quiet_without_payiq(trees, chosen.plans or 10_000),
    "ingest": lambda chosen, trees: runs.ingest(trees, chosen.plans or 100_000, chosen.rounds),
    "publish": lambda chosen, trees: runs.publish(trees, chosen.plans or 100_000, chosen.rounds),
    "computing": lambda chosen, trees: core.compare(trees, chosen.plans or 100_000, chosen.rounds),
    "peak": lambda chosen, trees: core.peak(trees, chosen.plans or 250_000),
    "growth": lambda chosen, _: core.growth((10_000, 100_000, *([1_000_000] if chosen.full else ()))),
    "million": lambda chosen, _: runs.whole(chosen.plans or 1_000_000),
    "days": lambda chosen, _: days.live_through(chosen.plans or 2_000, chosen.days, chosen.keep_days, chosen.providers),
    "agreement": lambda chosen, _: agreement.bench(chosen.plans or agreement.PLANS),
    "request": lambda _chosen, _trees: requests.bench(),
    "start": lambda chosen, trees: runs.start(trees, chosen.rounds),
}
"""The rows by the name they are asked for with."""
WITHIN, LONG = {"load"}, {"million", "days", "agreement"}
"""Cases that others include, and those that are worked only with `--full` where none is named."""

if __name__ == "__main__":
    sys.exit(main())
