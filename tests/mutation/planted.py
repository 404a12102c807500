"""Plant each listed bug in a copy of the program, and see whether the tests named for it fail.

The list is `bugs/*.toml`, a file or two for each room and in it a table per bug:

    [name-of-the-bug]
    breaks = "the promise that no longer holds"
    file = "transforms/…"        where it is planted
    old = "…"                    what stands there, exactly once
    new = "…"                    what stands there instead
    tests = ["tests/…::test_…"]  those of which one must fail
    survives = "…"               why none can, for the few that live

A bug is caught where one of its tests fails; not where their file can no longer be imported. All tests are first run
on the copy as it is, where every one must pass. The sources are left alone.
"""

import os
import shutil
import subprocess
import sys
import time
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from mutation.inside import NOT_COLLECTED, ROOMS

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).parent / "bugs"
LEAST = 0.95
"""The share of bugs that must be caught."""
ENDS = {0: "survived", 1: "caught", NOT_COLLECTED: "no import"}
SECONDS = 600
QUICK = ("tests/transforms/", "tests/schemas/", "tests/providers/", "tests/flows/steps/test_edges.py")
"""Where tests are that need neither a run nor a server."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One change of the sources that breaks a promise, and the tests that must notice."""

    name: str
    breaks: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    survives: str = ""

    @property
    def is_quick(self) -> bool:
        """Tell whether it takes a few seconds to see that the bug is caught."""
        return not self.survives and all(test.startswith(QUICK) and "::" in test for test in self.tests)

    @property
    def fault(self) -> str:
        """Return why the bug cannot be planted as it is listed; empty if it can."""
        found = (ROOT / self.file).read_text(encoding="utf-8").count(self.old)
        if found != 1:
            return f"{self.name}: its old text stands {found} times in {self.file}"
        if self.old == self.new or not self.breaks or not self.tests:
            return f"{self.name}: it changes nothing, or names no promise or no test"
        gone = [test for test in self.tests if not _is_there(test)]
        return f"{self.name}: there is no {', '.join(gone)}" if gone else ""


@dataclass(frozen=True, slots=True)
class Tried:
    """How the tests of one bug ended."""

    bug: Bug
    end: str
    seconds: float
    said: str


def listed() -> list[Bug]:
    """Return every bug of every room."""
    return [
        Bug(f"{path.stem}/{name}", **{**fields, "tests": tuple(fields["tests"])})
        for path in sorted(LIST.glob("*.toml"))
        for name, fields in tomllib.loads(path.read_text(encoding="utf-8")).items()
    ]


@contextmanager
def copy() -> Iterator[Path]:
    """Yield a copy of what the tests need, whose files are as old as the sources."""
    with TemporaryDirectory(prefix="planted-") as folder:
        for name in (*ROOMS, "tests", "docs", "benchmarks"):
            shutil.copytree(ROOT / name, Path(folder) / name, symlinks=True)
        for file in (*ROOT.glob("*.toml"), *ROOT.glob("*.md"), *ROOT.glob("*.yaml"), ROOT / "Makefile"):
            shutil.copy2(file, folder)
        yield Path(folder)


def run(folder: Path, tests: Sequence[str], seconds: float | None = SECONDS) -> tuple[str, str]:
    """Run tests in the copy up to the first that fails; return how it ended, and the end of what was said."""
    paths = os.pathsep.join(map(str, (folder, folder / "tests")))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "mutation.inside", "-p", "no:cacheprovider"]
    command += ["--tb=line", "--hypothesis-seed=0", *tests]
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "hung", ""
    said = "\n".join((ended.stdout + ended.stderr).splitlines()[-6:])
    return ENDS.get(ended.returncode, f"status {ended.returncode}"), said


def plant(folder: Path, bug: Bug) -> Tried:
    """Plant one bug in the copy, run its tests, take it out again."""
    target, source = folder / bug.file, ROOT / bug.file
    began = time.monotonic()
    target.write_text(source.read_text(encoding="utf-8").replace(bug.old, bug.new), encoding="utf-8")
    try:
        end, said = run(folder, bug.tests)
    finally:
        shutil.copy2(source, target)  # as old as it was, so that what is compiled fits again
    return Tried(bug, end, time.monotonic() - began, said)


def try_all(bugs: Sequence[Bug], jobs: int) -> Iterator[Tried]:
    """Try every bug, in `jobs` copies at once; yield as they end."""
    free: SimpleQueue[Path] = SimpleQueue()

    def one(bug: Bug) -> Tried:
        folder = free.get()
        try:
            return plant(folder, bug)
        finally:
            free.put(folder)

    with copy() as first, copy() as second, ThreadPoolExecutor(jobs) as pool:
        for folder in (first, second)[:jobs]:
            free.put(folder)
        yield from pool.map(one, bugs)


def main() -> int:
    """Print a line per bug and the counts; return 1 where too few are caught, or a survivor is not named."""
    parser = ArgumentParser(prog="make mutate", description="plant every listed bug; ARGS takes parts of their names")
    parser.add_argument("parts", nargs="*", help="only bugs whose names hold one of these")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=1)
    asked = parser.parse_args()
    bugs = [bug for bug in listed() if not asked.parts or any(part in bug.name for part in asked.parts)]
    if faults := [bug.fault for bug in bugs if bug.fault]:
        print("\n".join(faults))
        return 1
    with copy() as folder:
        end, said = run(folder, sorted({test for bug in bugs for test in bug.tests}), None)
    if end != ENDS[0]:
        print(f"without any bug: {end}\n{said}")
        return 1
    tried = []
    for one in try_all(bugs, asked.jobs):
        tried.append(one)
        print(f"{one.end:9} {one.seconds:6.1f} s  {one.bug.name}: {one.bug.breaks}", flush=True)
    return judged(tried)


def judged(tried: Sequence[Tried]) -> int:
    """Print the counts and what is wrong; return the exit status."""
    caught = [one for one in tried if one.end == "caught"]
    wrong = [one for one in tried if (one.end == "caught") == bool(one.bug.survives)]
    print(f"\n{len(caught)} of {len(tried)} bugs caught, {sum(one.seconds for one in tried):.0f} s")
    for one in tried:
        if one.bug.survives:
            print(f"named as a survivor: {one.bug.name}: {one.bug.survives}")
    for one in wrong:
        print(f"{one.end} and not named so: {one.bug.name} ({one.bug.file})\n{one.said}")
    return int(bool(wrong) or len(caught) < LEAST * len(tried))


def _is_there(test: str) -> bool:
    file, _, name = test.partition("::")
    path = ROOT / file
    if not path.exists():
        return False
    return not name or f"def {name.partition('[')[0]}(" in path.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
