"""Every boundary at which a dying process would leave something else behind than a moment before, counted in one place.

A boundary lies before each operation that changes a name on the disk, opens a file to write, locks one or makes bytes
last; before each line of the log of changes; before each commit, checkpoint and close of a database; before and after
each request. The interpreter tells of most of them, so a new one is counted wherever it is made, in a library too.
"""

import functools
import os
import signal
import sys
import threading
from typing import Any

NAMES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.truncate", "fcntl.flock"}
"""What the interpreter tells of before it happens; `os.replace` is told as `os.rename`, `Path.unlink` as `os.remove`."""
WRITING = os.O_WRONLY | os.O_RDWR
LASTING = ("COMMIT", "CHECKPOINT")


class Boundaries:
    """Counts the boundaries this process comes to, from 1, and ends it by SIGKILL at the one numbered `kill_at`."""

    def __init__(self, kill_at: int = 0) -> None:
        self._kill_at, self.passed = kill_at, 0
        self._lock = threading.RLock()

    def watch(self) -> None:
        """Count from now on to the end of the process: the interpreter forgets no hook."""
        import duckdb

        from providers.http.carrier import Carrier
        from writes.ledger import Ledger

        sys.addaudithook(self._hear)
        self._around(os, "fsync")
        self._around(Ledger, "_append")
        self._around(duckdb.DuckDBPyConnection, "close")
        self._around(duckdb.DuckDBPyConnection, "execute", lambda _, sql="", *__, **___: sql in LASTING)
        self._around(Carrier, "carry", after=True)

    def _come_to(self) -> None:
        with self._lock:
            self.passed += 1
            if self.passed == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if event in NAMES or (event == "open" and isinstance(given[2], int) and given[2] & WRITING):
            self._come_to()

    def _around(self, owner: Any, name: str, counts: Any = lambda *_, **__: True, *, after: bool = False) -> None:
        inner = getattr(owner, name)

        @functools.wraps(inner)
        def counted(*given: Any, **named: Any) -> Any:
            is_one = counts(*given, **named)
            if is_one:
                self._come_to()
            answer = inner(*given, **named)
            if is_one and after:
                self._come_to()
            return answer

        setattr(owner, name, counted)
