"""The computation alone, from Parquet to Parquet, beside other ways of computing less: every way a process of its own."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import log
from pathlib import Path
from statistics import median

from benchmarks import elsewhere
from benchmarks.table import Figure, require
from benchmarks.trees import CACHE, ROOT, Spent, measured, run

PEERS = {
    "scan": "reading and writing the files, nothing else",
    "tuned": "polars tuned, expected terms from a file",
    "tables": "polars tuned, schedules by look-up tables",
    "duckdb": "DuckDB SQL with windows",
    "windows": "polars with windows",
    "pandas": "pandas, in an environment of its own",
}


def compare(trees: Sequence[Path], plans: int, rounds: int) -> Iterator[Figure]:
    """Yield positions alone and the whole computation beside the peers, medians over rounds in turn."""
    spent = measure(trees, plans, rounds)
    told = f"{plans:,} plans"
    peers = [
        f"{name}: {median(each.cpu for each in spent[way]):.2f} CPU s, {max(each.peak for each in spent[way]):,} MB; "
        f"positions now {_against(spent, 'positions', way):.2f} x that"
        for way, name in PEERS.items()
        if way in spent
    ]
    if "pandas" not in spent:
        peers.append(f"pandas left out: {' and '.join(elsewhere.PACKAGES)} could not be installed")
    yield _figure(
        f"positions to Parquet, {told}, of polars tuned",
        spent,
        ("positions", "tuned"),
        reach=1.3,
        recorded=1.64,
        notes=peers,
    )
    yield _figure(
        "positions to Parquet, the same, of reading and writing", spent, ("positions", "scan"), reach=2.8, recorded=2.6
    )
    yield _figure(
        f"whole computation, {told}, of tuned with look-up tables", spent, ("all", "tables"), reach=2.0, recorded=5.4
    )
    stage = "the same on a day without new differences, reasons remembered"
    yield _figure(stage, spent, ("again", "tables"), reach=1.5, recorded=5.4)
    yield _peak(spent, told, recorded=1.3)


def peak(trees: Sequence[Path], plans: int) -> Iterator[Figure]:
    """Yield the peak of the computation where it had all plans in one part in the first version."""
    yield _peak(measure(trees, plans, 1, peers=()), f"{plans:,} plans", recorded=2.9)


def growth(plans: Sequence[int]) -> Iterator[Figure]:
    """Yield how CPU grows with the number of plans: n to the power of this; 1 where twice the plans cost twice as much."""
    sizes = [measure([ROOT], count, 1, peers=("tables",)) for count in plans]
    for (low, less), (high, more) in pairwise(zip(plans, sizes, strict=True)):
        names = {"now all": "whole computation", "tables": "peer with look-up tables"}
        for way, name in names.items():
            before, after = less[way][0], more[way][0]
            yield Figure(
                f"growth of the {name}, {low:,} to {high:,} plans",
                log(after.cpu / before.cpu) / log(high / low),
                unit="exp",
                reach=1.05 if way == "now all" else None,
                notes=[
                    f"{each.cpu:.1f} CPU s, {each.peak:,} MB at {at:,}" for at, each in ((low, before), (high, after))
                ],
            )


def measure(
    trees: Sequence[Path], plans: int, rounds: int, *, peers: Sequence[str] = tuple(PEERS)
) -> dict[str, list[Spent]]:
    """Return what each way used in each round; a tree's ways are `now positions`, `now all`, `first all`, ...

    Raises:
        WrongResult: a way found something else than the generator put in, or another overdue sum than the others.
    """
    spent: dict[str, list[Spent]] = {}
    with tempfile.TemporaryDirectory() as folder:
        # elsewhere: a child's peak counts from its parent's size
        manifest = run(ROOT, "-m", "benchmarks.portfolio", folder, str(plans)).answer
        python = elsewhere.environment(CACHE / "pandas") if "pandas" in peers else None
        for _ in range(rounds):
            for way in peers:
                if way != "pandas":
                    spent.setdefault(way, []).append(run(ROOT, "-m", "benchmarks.tuned", way, folder))
            if python:
                command = [python, str(ROOT / "benchmarks" / "elsewhere.py"), folder]
                spent.setdefault("pandas", []).append(measured(command, ROOT))
            for name, tree in zip(("now", "first"), trees, strict=False):
                script = str(ROOT / "benchmarks" / "computing.py")
                for way in ("positions", "all", "again")[: 3 if tree == ROOT else 2]:
                    spent.setdefault(f"{name} {way}", []).append(run(tree, script, way, folder))
    _agree(spent, manifest)
    return spent


def _agree(spent: Mapping[str, Sequence[Spent]], manifest: Mapping[str, object]) -> None:
    overdue = set()
    for way, each in spent.items():
        found = each[0].answer
        require(way, found, {name: manifest.get(name, found[name]) for name in found})
        if "overdue" in found:
            overdue.add(found["overdue"])
    require("one overdue sum from all ways", len(overdue), 1)


def _against(spent: Mapping[str, Sequence[Spent]], way: str, peer: str, tree: str = "now") -> float:
    pairs = zip(spent[f"{tree} {way}"], spent[peer], strict=True)
    return median(ours.cpu / theirs.cpu for ours, theirs in pairs)


def _figure(
    stage: str,
    spent: Mapping[str, Sequence[Spent]],
    of: tuple[str, str],
    *,
    reach: float,
    recorded: float,
    notes: Sequence[str] = (),
) -> Figure:
    way, peer = of
    before = "all" if way == "again" else way  # the first version remembered nothing
    first = _against(spent, before, peer, "first") if f"first {before}" in spent else None
    cpu = [
        f"{tree}: {median(each.cpu for each in spent[f'{tree} {way}']):.2f} CPU s"
        for tree in ("now", "first")
        if f"{tree} {way}" in spent
    ]
    return Figure(
        stage,
        _against(spent, way, peer),
        first=first,
        reach=reach,
        recorded=recorded,
        notes=[", ".join(cpu), *notes],
    )


def _peak(spent: Mapping[str, Sequence[Spent]], told: str, *, recorded: float) -> Figure:
    peaks = {name: max(each.peak for each in used) / 1000 for name, used in spent.items()}
    return Figure(
        f"peak of the whole computation, {told}",
        peaks["now all"],
        unit="GB",
        first=peaks.get("first all"),
        reach=1.6,
        recorded=recorded,
    )
