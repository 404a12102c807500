"""The engine beside a second schedule written from the definitions alone: every term of a million drawn plans.

`python -m benchmarks.agreement --plans 20000` takes that many. Exits 1 when one term differs, and shows the first
plan that does. Plans are worked a part at a time, so memory does not grow with their number.
"""

import argparse
import importlib.util
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from schemas.conventions import Conventions
from schemas.schedules import CUSTOM_TERMS, PLAN_RULES
from schemas.table import Table
from transforms.calendars.business_days import WEEKEND
from transforms.calendars.closed_days import Calendar
from transforms.schedules.regenerate import regenerate

PLANS = int(os.environ.get("BENCH_PLANS", "1000000"))
AT_ONCE = 100_000
SEED = 20260630
ORACLES = Path(__file__).resolve().parents[1] / "tests" / "oracles"

Row = dict[str, Any]
Term = tuple[Any, ...]


@dataclass(slots=True)
class Compared:
    """What was compared so far, the CPU seconds of each side, and the first terms that differ."""

    plans: int = 0
    terms: int = 0
    differences: int = 0
    engine: float = 0.0
    second: float = 0.0
    first: str = ""

    def add(self, plans: list[Row], ours: list[Term], theirs: list[Term]) -> None:
        """Count the terms of these plans, both sides in order of plan and term."""
        self.plans += len(plans)
        self.terms += len(theirs)
        if ours == theirs:
            return
        mine, other = ({term[:2]: term for term in side} for side in (ours, theirs))
        apart = sorted(key for key in mine.keys() | other.keys() if mine.get(key) != other.get(key))
        self.differences += len(apart) or 1  # the same terms in another order are a difference too
        if apart and not self.first:
            plan = next(plan for plan in plans if plan["plan_no"] == apart[0][0])
            self.first = f"{plan}\nengine {mine.get(apart[0])}\nsecond {other.get(apart[0])}"


def compare(plans: int, *, seed: int = SEED, at_once: int = AT_ONCE) -> Compared:
    """Return what came of comparing so many drawn plans."""
    drawing, oracle = loaded("schedule_plans"), loaded("schedule_oracle")
    found = Compared()
    for start in range(0, plans, at_once):
        draw = random.Random(f"{seed} {start}")
        names = list(drawing.sets())
        part = [drawing.drawn(number, draw, names) for number in range(start, min(plans, start + at_once))]
        found.add(part, *_both(part, drawing, oracle, found))
    return found


def _both(plans: list[Row], drawing: ModuleType, oracle: ModuleType, spent: Compared) -> tuple[list[Term], list[Term]]:
    sets = drawing.sets()
    conventions = {name: Conventions(**each) for name, each in sets.items()}
    frames = [_frame(PLAN_RULES, ([plan[name] for name in PLAN_RULES.columns] for plan in plans))]
    frames.append(_frame(CUSTOM_TERMS, _listed(plans)))
    began = time.process_time()
    made = regenerate(*frames, conventions=conventions, calendars=_calendars(drawing), with_trace=False)
    spent.engine += time.process_time() - began
    if made.missing.height:
        raise SystemExit(f"{made.missing.height} drawn plans have no schedule: {made.missing.row(0)}; correct the draw")
    closed = {name: drawing.holidays_of(name) for name in drawing.CALENDARS}
    weekends = {name: each.get("weekend", WEEKEND) for name, each in drawing.CALENDARS.items()}
    began = time.process_time()
    theirs: list[Term] = []
    for plan in plans:
        name = plan["calendar"]
        rows = oracle.schedule(
            plan | {"pattern": plan["pattern"] or "DAY"},
            holidays=closed[name],
            weekend=weekends[name],
            **sets[plan["convention_set"]],
        )
        theirs += [(plan["plan_no"], *list(row.values())[:-1], ";".join(row["notes"])) for row in rows]
    spent.second += time.process_time() - began
    return made.terms.drop("trace").rows(), theirs


def _calendars(drawing: ModuleType) -> dict[str, Calendar]:
    return {
        name: Calendar(
            each.get("country", ""), each.get("weekend", WEEKEND), tuple((day, "own") for day in each.get("days", ()))
        )
        for name, each in drawing.CALENDARS.items()
    }


def _frame(table: Table, rows: Iterator[Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict(table.dtypes), orient="row")


def _listed(plans: list[Row]) -> Iterator[Any]:
    for plan in plans:
        yield from ((plan["plan_no"], number, *term) for number, term in enumerate(plan["listed"] or (), 1))


def loaded(name: str) -> ModuleType:
    """Import a module of `tests/oracles`, which is no package: the product cannot reach it."""
    spec = importlib.util.spec_from_file_location(name, ORACLES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines(found: Compared) -> list[tuple[str, str]]:
    """Return lines of the table."""
    return [
        (f"compared {found.plans:,} plans", f"{found.terms:,} terms, {found.differences:,} differences"),
        ("engine, every rule and convention at random", f"{found.plans / found.engine:,.0f} plans per CPU s"),
        ("second schedule, plan by plan in plain Python", f"{found.plans / found.second:,.0f} plans per CPU s"),
    ]


def bench(plans: int = PLANS) -> list[tuple[str, str]]:
    """Return lines of the table.

    Raises:
        SystemExit: the two schedules differ.
    """
    found = compare(plans)
    if found.differences:
        raise SystemExit(f"{found.differences:,} of {found.terms:,} terms differ; the first:\n{found.first}")
    return lines(found)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement")
    parser.add_argument("--plans", type=int, default=PLANS, help="how many; a million where BENCH_PLANS says nothing")
    for name, figure in bench(parser.parse_args(arguments).plans):
        print(f"{name:<50}{figure}")


if __name__ == "__main__":
    main()
