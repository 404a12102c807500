"""Two trees of the program, the present one and that of the first version, and commands run in either and measured.

The first version is taken out of the repository's history, so that its figures come from this machine in the same run.
It runs with the libraries that are installed now.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FIRST = "437a7c68e5285166b04b307cadf0fb4cd38517ce"
"""The commit of the first version."""
CACHE = ROOT / "build" / "bench"
"""What a benchmark makes once and keeps: the first version's files, environments of peers."""


class CommandError(Exception):
    """A measured command ended badly; the message has the end of what it said."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process and its children used: CPU seconds (user and system), wall seconds, peak resident MB, its output."""

    cpu: float
    wall: float
    peak: int
    out: str = ""

    @property
    def answer(self) -> Any:
        """Return the last line of the output, which is JSON."""
        return json.loads(self.out.splitlines()[-1])


def first_version() -> Path | None:
    """Return the folder of the first version, null where the repository's history does not reach back to it."""
    folder = CACHE / FIRST
    if folder.is_dir():
        return folder
    packed = subprocess.run(["git", "archive", FIRST], cwd=ROOT, capture_output=True, check=False)  # noqa: S607
    if packed.returncode:
        return None
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as made, tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(made, filter="data")
        Path(made).rename(folder)
        Path(made).mkdir()  # the block removes it
    return folder


def run(tree: Path, *arguments: str, ends: Sequence[int] = (0,)) -> Spent:
    """Run Python with these arguments in a tree, wait for it, and return what it used.

    Raises:
        CommandError: it ended with a code that is not one of `ends`.
    """
    return measured([sys.executable, *arguments], tree, ends=ends, env={"PYTHONPATH": str(tree)})


def measured(
    command: Sequence[str], folder: Path, *, ends: Sequence[int] = (0,), env: Mapping[str, str] | None = None
) -> Spent:
    """Run a command in a folder and return what it used.

    Raises:
        CommandError: it ended with a code that is not one of `ends`.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as told:
        began = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, env=os.environ | dict(env or {}), stdout=out, stderr=told)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        out.seek(0), told.seek(0)
        if child.returncode not in ends:
            raise CommandError(f"{' '.join(command)} ended with {child.returncode}:\n{told.read()[-3000:]}")
        peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) // 10**6
        return Spent(used.ru_utime + used.ru_stime, wall, peak, out.read())
