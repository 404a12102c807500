"""Run a planrecon command in a process of its own that is forked from one which has imported nearly everything.

It ends with the command's exit code, or by SIGKILL: at the boundary of a number, or after some seconds.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from storm.boundaries import Boundaries

PRELOAD = [
    "polars", "duckdb", "pandera.polars", "pyarrow", "msgspec", "holidays", "jinja2", "xlsxwriter", "rich.console",
    "httpx", "httpcore", "anyio", "h2.connection", "stamina", "pyrate_limiter", "pydantic_settings", "cyclopts",
    "flows.commands.cli", "providers.payt.writing", "providers.totality.writing", "providers.payiq.writing",
    "schemas.core", "schemas.results", "flows.configuration", "reports.publish", "sql.storage.recovery", "writes.ledger", "storm.forked", "sandbox.server",
]  # fmt: skip
"""Modules that compute nothing with polars when imported: its threads would not come along into a fork."""


@cache
def makers() -> Any:
    """Return the way processes are made: from one that has imported everything once."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(PRELOAD)
    return made


def obey(argv: list[str], output: str, kill_at: int, before: Callable[[], None] | None) -> None:
    """Run one command in this process; where it ends by itself, it says how many boundaries it came to."""
    sink = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    from flows.commands import cli

    if before is not None:
        before()
    boundaries = Boundaries(kill_at)
    boundaries.watch()
    code = cli.execute(argv)
    sys.stdout.flush()
    os.write(sink, f"boundaries: {boundaries.passed}\n".encode())
    os._exit(code)


class Forked:
    """One command under way; what it says is added to a file."""

    def __init__(
        self, argv: list[str], output: Path, *, kill_at: int = 0, before: Callable[[], None] | None = None
    ) -> None:
        self.output, self._argv = output, argv
        self._child = makers().Process(target=obey, args=(argv, str(output), kill_at, before))
        self._child.start()

    def ended(self, *, within: float = 900, kill_after: float | None = None) -> int:
        """Wait for the end, or kill it after some seconds; return the exit code."""
        if kill_after is not None:
            self._child.join(kill_after)
            if self._child.exitcode is None:
                self._child.kill()
        self._child.join(within)
        if self._child.exitcode is None:
            self._child.kill()
            self._child.join()
            raise TimeoutError(f"{' '.join(self._argv)} took more than {within} s; see {self.output}")
        return int(self._child.exitcode)

    def said(self) -> str:
        """Return everything that was said into the file."""
        return self.output.read_text(encoding="utf-8")
