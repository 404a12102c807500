"""Write the pages of one sweep into a pack, and read a page back.

A pack counts only once its seal is written. Which sweeps belong to a
snapshot is in `landing.py`.
"""

import os
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from sql.errors import Damaged
from sql.storage.files import TEMPORARY, cannot_write, is_ours, move, open_private, sync
from sql.storage.references import Listed, Place, Shown, every_seal
from sql.storage.seals import PageFacts, Seal, write_seal

PART = ".pack.part"


class LandablePage(Protocol):
    """What a page must carry to be kept; the pages of every provider do."""

    @property
    def entity(self) -> str:
        """Return the name of what the page lists."""

    @property
    def body(self) -> bytes:
        """Return the answer, byte for byte."""

    @property
    def context(self) -> Mapping[str, str]:
        """Return what decoding needs beside the body; never a secret."""

    @property
    def status(self) -> int:
        """Return the HTTP status."""

    @property
    def provider_clock(self) -> datetime | None:
        """Return the provider's clock when it answered, if it told."""

    @property
    def received_at(self) -> datetime | None:
        """Return our own clock at that moment."""


class SweepWriter:
    """One sweep being received; leaving the `with` block without a seal drops it.

    A page that `shown` has is named there and its bytes are not written again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        stem: str,
        name: str,
        tenant_id: str,
        since: datetime | None,
        sealed: Callable[[Seal], None],
        shown: Shown,
    ) -> None:
        self._folder, self._stem, self._sealed, self._shown = folder, stem, sealed, shown
        self._name, self._tenant_id, self._since = name, tenant_id, since
        self._pages: list[tuple[str, Listed]] = []
        self._own = self._unasked = 0
        self._clock: datetime | None = None
        self._clock_at: datetime | None = None
        self._offset = 0
        self._pack, self._part = f"{stem}.pack", folder / f"{stem}{PART}"
        try:
            self._file = open_private(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except OSError as error:
            raise cannot_write(self._part, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.abandon()

    def add(self, page: LandablePage) -> None:
        """Append the body of `page` as it is, or name where the same one lies."""
        facts = PageFacts(
            entity=page.entity,
            sha256=sha256(page.body).hexdigest(),
            offset=self._offset,
            length=len(page.body),
            status=page.status,
            context=dict(page.context),
        )
        name = self._shown.group(facts.context)
        known = self._shown.find(self._name, name, facts)
        if known is None:
            try:
                self._file.write(page.body)
            except OSError as error:
                raise cannot_write(self._part, error) from error
            self._pages.append((name, Listed(facts, Place(self._folder.name, self._pack, self._own))))
            self._offset, self._own = self._offset + facts.length, self._own + 1
        else:
            self._pages.append((name, Listed(known.page, known.place, is_own=False)))
        if self._clock is None and page.provider_clock is not None:
            self._clock, self._clock_at = page.provider_clock, page.received_at

    def keep(self, context: Mapping[str, str], entities: Container[str]) -> None:
        """Name the pages of some entities that the account of `context` showed when last fetched: they were not asked for."""
        name = self._shown.group(context)
        shown = self._shown.groups[self._name, name]
        kept = [(name, Listed(one.page, one.place, is_own=False)) for one in shown if one.page.entity in entities]
        self._pages += kept
        self._unasked += len(kept)

    def seal(self, complete: bool, reason: str = "", *, unread: Iterable[str] = ()) -> Seal:  # noqa: FBT001 - the two words of a seal
        """End the sweep: its pages are safe on disk and will not be asked for again.

        `complete` says that the provider's end signal was reached and no page
        failed; else `reason` says what happened, and `unread` to which accounts.
        """
        pack = self._folder / self._pack
        own, spans = self._shown.split(self._name, self._pages)
        seal = Seal(
            name=self._name,
            tenant_id=self._tenant_id,
            since=self._since,
            complete=complete,
            reason=reason,
            started_clock=self._clock,
            started_at=self._clock_at,
            pack=pack.name,
            pages=own,
            spans=spans,
            unread=tuple(sorted(unread)),
            unasked=self._unasked,
        )
        try:
            sync(self._file)
            self._file.close()
            move(self._part, pack)
        except OSError as error:
            raise cannot_write(pack, error) from error
        write_seal(self._folder / f"{self._stem}.seal.json", seal)
        self._sealed(seal)
        return seal

    def abandon(self) -> None:
        """Remove what was received if it was not sealed."""
        if not self._file.closed:
            with suppress(OSError):  # a full disk refuses the last bytes too; they are dropped anyway
                self._file.close()
            self._part.unlink(missing_ok=True)


def discard_parts(folder: Path) -> list[Path]:
    """Remove what a crash left in an unfinished snapshot: parts, and packs that no seal names."""
    named = {seal.pack for seal in every_seal(folder)}
    stale = [path for path in folder.glob("*.pack") if path.name not in named]
    stale += [*folder.glob(f"*{PART}"), *folder.glob(f".*{TEMPORARY}")]
    removed = [path for path in stale if is_ours(path)]
    for path in removed:
        path.unlink()
    return removed


def read_body(pack: Path, page: PageFacts) -> bytes:
    """Return the body of `page`.

    Raises:
        Damaged: the bytes are not those that were received.
    """
    try:
        with pack.open("rb") as file:
            file.seek(page.offset)
            body = file.read(page.length)
    except OSError as error:
        raise _damaged(pack, page) from error
    if sha256(body).hexdigest() != page.sha256:
        raise _damaged(pack, page)
    return body


def _damaged(pack: Path, page: PageFacts) -> Damaged:
    what = f"page {page.sha256[:16]} ({page.entity}) at byte {page.offset}"
    return Damaged(f"{pack}: {what} is not what was received; restore the file from a backup", where=pack)
