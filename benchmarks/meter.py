"""Charge CPU, wall and memory to the stage that is running; stages nest, the inner one is charged alone."""

import functools
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")

_STATUS = Path("/proc/self/status")
_FORGET = Path("/proc/self/clear_refs")


@dataclass(slots=True)
class Spent:
    """What one stage used: seconds of CPU over all threads, seconds of wall, peak resident MB."""

    cpu: float = 0.0
    wall: float = 0.0
    peak: int = 0

    def as_dict(self) -> dict[str, float]:
        return {"cpu": self.cpu, "wall": self.wall, "peak": self.peak}


@dataclass(slots=True)
class Meter:
    """Knows which stage runs. `wrap` puts functions of the program under a stage."""

    stages: dict[str, Spent] = field(default_factory=dict)
    _running: list[str] = field(default_factory=lambda: ["rest"])
    _cpu: float = field(default_factory=time.process_time)
    _wall: float = field(default_factory=time.perf_counter)

    def charge(self) -> None:
        """Charge what was used since the last call to the running stage."""
        cpu, wall = time.process_time(), time.perf_counter()
        spent = self.stages.setdefault(self._running[-1], Spent())
        spent.cpu += cpu - self._cpu
        spent.wall += wall - self._wall
        spent.peak = max(spent.peak, _peak())
        self._cpu, self._wall = cpu, wall

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge the block to `name`."""
        self.charge()
        self._running.append(name)
        try:
            yield
        finally:
            self.charge()
            self._running.pop()

    def wrap(self, owner: Any, names: str, stage: str) -> None:
        """Charge every call of these attributes of `owner` to `stage`; names are parted by blanks."""
        for name in names.split():
            setattr(owner, name, self._wrapped(getattr(owner, name), stage))

    def _wrapped(self, function: Callable[..., Result], stage: str) -> Callable[..., Result]:
        @functools.wraps(function)
        def charged(*args: Any, **kwargs: Any) -> Result:
            with self.stage(stage):
                return function(*args, **kwargs)

        return charged


def _peak() -> int:
    """Return the resident MB at most since the last call; since the start where the system cannot forget."""
    try:
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        _FORGET.write_text("5")
        return int(line.split()[1]) * 1024 // 10**6
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most * (1 if sys.platform == "darwin" else 1024) // 10**6
