"""How far a run is, on a terminal: one line for each provider that is read, under the lines that stay."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TextIO

from flows.log import LOGGER, Lines, Patient

REDRAWN_SECONDS = 0.1
"""How long a line stands at least before it is drawn again."""


@dataclass(slots=True)
class Count:
    """What came from one provider by now: pages and bytes while it is read, rows once they are loaded."""

    began: float
    ended: float
    pages: int = 0
    size: int = 0
    rows: int = 0

    def told(self, provider: str) -> str:
        """Return the line."""
        seconds = self.ended - self.began
        rate = f", {self.pages / seconds:.1f} pages/s" if seconds > 0 else ""
        rows = f", {self.rows:,} rows" if self.rows else ""
        return f"{provider}: {self.pages:,} pages, {self.size / 1e6:.1f} MB{rate}{rows}"


class Live(Patient):
    """A terminal's progress: records that are steps are counted in the lines of their providers, all others stand above."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.setFormatter(Lines("%(message)s"))
        self.counts: dict[str, Count] = {}
        self.drawn = 0
        self.drawn_at = 0.0
        self._alone = threading.RLock()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record above the live lines; a step is seen in them already."""
        if self.counts and hasattr(record, "step"):
            return
        with self._alone:
            self._erase()
            super().emit(record)
            self._draw()

    def count(self, provider: str, *, pages: int, size: int, rows: int) -> None:
        """Add to a provider's line, and draw the lines again unless they were drawn just now."""
        with self._alone:
            now = time.monotonic()
            count = self.counts.setdefault(provider, Count(now, now))
            count.pages += pages
            count.size += size
            count.rows += rows
            count.ended = now if pages else count.ended
            if now - self.drawn_at >= REDRAWN_SECONDS:
                self._erase()
                self._draw()

    def leave(self) -> None:
        """Let the lines stand as they are last, and begin anew."""
        with self._alone:
            self._erase()
            self._draw()
            self.counts, self.drawn = {}, 0

    def _erase(self) -> None:
        if self.drawn:
            self._put(f"\x1b[{self.drawn}A\x1b[J")
            self.drawn = 0

    def _draw(self) -> None:
        width = _width(self.stream) - 1  # a full line would begin another
        self.drawn = len(self.counts)
        self.drawn_at = time.monotonic()
        self._put("".join(f"{count.told(name)[:width]}\n" for name, count in sorted(self.counts.items())))

    def _put(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()


def _width(stream: TextIO) -> int:
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns
    return shutil.get_terminal_size().columns


def came(provider: str, *, pages: int = 0, size: int = 0, rows: int = 0) -> None:
    """Tell that pages of a provider came, with their bytes, or that rows of it were loaded."""
    for handler in LOGGER.handlers:
        if isinstance(handler, Live):
            handler.count(provider, pages=pages, size=size, rows=rows)


@contextmanager
def watching() -> Iterator[None]:
    """Leave the lines of the providers as they are when the block ends."""
    try:
        yield
    finally:
        for handler in LOGGER.handlers:
            if isinstance(handler, Live):
                handler.leave()
