"""The refresh token that a provider replaces at each use, kept between runs and between processes."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flows import log
from providers.errors import NotConfigured, NotKept
from sql.errors import StoreError
from sql.storage.files import open_private, private_folder, refuse_unless_plain, write_atomic

PATIENCE = 150.0
"""Seconds to wait for another process that is renewing the token; one exchange is over before that."""
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class KeptToken:
    """One file: the mark of the configured token that its newest descendant grew out of, and that descendant.

    Once another token is configured, what was kept of the old one no longer counts.
    """

    path: Path
    configured: str = field(repr=False)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the token against all other processes while the block runs; its file can be written.

        Raises:
            NotKept: the place cannot be written, or another process does not let go of it.
        """
        lock = self.path.with_name(f"{self.path.name}.lock")
        try:
            private_folder(self.path.parent)
            refuse_unless_plain(lock)
            refuse_unless_plain(self.path)
            file = open_private(lock, os.O_RDWR | os.O_CREAT)
        except (StoreError, OSError) as error:
            raise NotKept(f"the place of the refresh token cannot be written, so it was not used: {error}") from error
        with file:
            self._wait(file.fileno())
            kept = self.newest()
            self._write("" if kept == self.configured else kept)
            yield

    def newest(self) -> str:
        """Return the newest refresh token that grew out of the configured one, else that one.

        Raises:
            NotKept: the file cannot be read.
            NotConfigured: what it holds is no text.
        """
        try:
            origin, _, newest = self.path.read_text(encoding="utf-8").partition("\n")
        except FileNotFoundError:
            return self.configured
        except UnicodeDecodeError:
            raise NotConfigured(
                f"the kept refresh token {str(self.path)!r} is no text, so none was used",
                next_step="Put back a copy of that file, or remove it and configure the refresh token of a new authorization.",
            ) from None
        except OSError as error:
            raise NotKept(f"the kept refresh token {str(self.path)!r} cannot be read, so none was used") from error
        log.hide([newest])
        return newest if origin == _mark(self.configured) and newest else self.configured

    def keep(self, token: str) -> None:
        """Write `token` down as the newest."""
        log.hide([token])
        self._write(token)

    def _write(self, newest: str) -> None:
        try:
            write_atomic(self.path, f"{_mark(self.configured)}\n{newest}".encode())
        except StoreError as error:
            raise NotKept(f"the refresh token cannot be written down: {error}") from error

    def _wait(self, lock: int) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise NotKept(
                        f"another process has held {str(self.path)!r} for {PATIENCE:.0f} s, so the refresh token was not used"
                    ) from None
                time.sleep(_PAUSE)
            else:
                return


def _mark(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
