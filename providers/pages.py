"""Pages as a whole: cutting rows out of an envelope, refusing a page, keeping an eye on paging.

Paging ends at the provider's own end signal and nowhere else. What comes twice, or never ends,
is an error and not an end.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TypeVar

import msgspec

from providers.base import Connection, Decoded, Page, Reject
from providers.errors import Endless, Truncated, Unreadable, Unstable
from providers.http.answers import BYTE_ORDER_MARK, Reply, expect_json, unmarked
from providers.rows import PAGE, UNREADABLE, Fault, Reading, Shape, envelope_fault, fault_of, misleads, read_rows
from providers.tables import Table

E = TypeVar("E")
S = TypeVar("S", bound=msgspec.Struct)
LOG = logging.getLogger("planrecon.providers")
GROWTH, FEW = 10, 100
"""A list is stopped at ten times the pages of its last whole fetch and a hundred more."""
TOLD_PAGES = 100
"""After how many pages of one list its progress is told."""
ROUNDS = 3
"""How often rows that changed while they were read are asked for again."""
SECOND = timedelta(seconds=1)
_BUSINESS = "ENVELOPE_ERROR"


def parsed(reply: Reply, read: Callable[[bytes], E], *, provider: str, place: str) -> E:
    """Return what `read` makes of the answer's body; an answer cut short or garbled may be whole on the next try."""
    expect_json(reply, provider=provider, place=place)
    try:
        return read(unmarked(reply.body))
    except UNREADABLE as error:
        raise _unreadable(error, reply, provider, place) from None


def _unreadable(error: BaseException, reply: Reply, provider: str, place: str) -> Unreadable:
    who, status = provider, reply.status
    if isinstance(error, msgspec.DecodeError) and "truncated" in str(error):
        return Truncated("the JSON stops before its end", provider=who, endpoint=place, status=status)
    fault = fault_of(error)
    raised = Unreadable(
        f"the answer is not what is documented: {fault.reason}",
        provider=who,
        endpoint=place,
        status=status,
        evidence=reply.evidence(),
    )
    raised.may_retry = fault.code == "MALFORMED_JSON"
    return raised


def read_page(
    body: bytes, cut: Callable[[bytes], Sequence[msgspec.Raw]], shape: Shape[S], context: Mapping[str, str]
) -> Reading[S] | Fault:
    """Return the page's rows one by one, or why the page as a whole cannot be read. Never raises because of data."""
    received, body = body.removeprefix(BYTE_ORDER_MARK), unmarked(body)
    exact = misleads(body)
    try:
        raws = [bytes(raw) for raw in cut(body)]
        fault = envelope_fault(body, exact=exact)
    except UNREADABLE as error:
        fault = fault_of(error)
        return Fault(_BUSINESS, fault.column, fault.reason) if isinstance(error, msgspec.ValidationError) else fault
    if fault is not None:
        return fault
    halves = {} if received == body else _halved(raws, received, body)
    return read_rows(raws, shape, context, exact=exact, halves=halves)


def _halved(raws: Sequence[bytes], received: bytes, body: bytes) -> dict[int, bytes]:
    """Return the received bytes of each row that holds half a character, by position; in `body` they are mended."""
    found, start = {}, 0
    for at, raw in enumerate(raws):
        start = body.index(raw, start)
        own = received[start : start + len(raw)]
        if own != raw:
            found[at] = own
        start += len(raw)
    return found


def refused_page(fault: Fault, tables: Sequence[Table], key: str | None = None) -> Decoded:
    """Return a page that cannot be read as a whole: empty tables and one reject at position -1."""
    reject = Reject(PAGE, fault.code, fault.column, fault.reason, key)
    return Decoded({table.name: table.empty() for table in tables}, [reject], 0, {})


class Watch:
    """Refuses a cursor or a page seen before in this pass, and a pass without end; tells how far it has come.

    A list may have `cap` pages, and is read until `until` on the monotonic clock.
    """

    def __init__(self, provider: str, place: str, limits: "Limits") -> None:
        self._provider, self._place, self._limits = provider, place, limits
        self._seen: set[bytes] = set()

    def new(self, mark: str | bytes) -> None:
        """Raise if `mark` has been seen before: the paging would go round in a circle."""
        digest = hashlib.sha256(mark.encode() if isinstance(mark, str) else mark).digest()
        if digest in self._seen:
            self._stop("paging goes in a circle: a cursor or page came twice")
        if len(self._seen) >= self._limits.cap:
            told = f" (the last whole fetch had {self._limits.last})" if self._limits.last else ""
            self._stop(f"paging has not ended after {self._limits.cap} pages{told}")
        if monotonic() >= self._limits.until:
            self._stop(f"paging has not ended after {len(self._seen)} pages, and the time for one list is over")
        self._seen.add(digest)
        if len(self._seen) % TOLD_PAGES == 0:
            LOG.info("  %s %s: %d pages so far", self._provider, self._place, len(self._seen))

    def _stop(self, what: str) -> None:
        raise Endless(what, provider=self._provider, endpoint=self._place)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one list may be. `last` is the pages of its last whole fetch, 0 where there is none to go by."""

    cap: int
    until: float
    last: int = 0

    @classmethod
    def of(cls, connection: Connection, last: int = 0) -> "Limits":
        """Return the connection's own limits, from now on; a list is not believed to have grown tenfold meanwhile."""
        cap = min(connection.page_cap, GROWTH * last + FEW) if last else connection.page_cap
        return cls(cap, monotonic() + connection.sweep_seconds, last)


def iso(moment: datetime) -> str:
    """Return a moment as providers take it: UTC, whole seconds rounded down, so that no change is left out."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Rows = Sequence[msgspec.Raw]
Walk = Callable[[datetime | None], Iterator[tuple[Page, Rows]]]


Identify = Callable[[msgspec.Raw], bytes]
"""The key of a row as bytes; what has none stands for itself."""


def by_field(field: str) -> Identify:
    """Return a function that tells rows apart by the bytes of one field; a row without it by all its bytes."""

    def key(row: msgspec.Raw) -> bytes:
        try:
            return bytes(msgspec.json.decode(row, type=dict[str, msgspec.Raw]).get(field, row))
        except UNREADABLE:
            return bytes(row)

    return key


@dataclass(slots=True)
class Settling:
    """Reads a list, and reads on until nothing is known to have moved while it was read.

    A list of one page, or by cursor, is followed by one look at what changed meanwhile. Numbered
    pages move under the reader when a row changes, comes or goes, and a row that goes shows in no
    look at changes: such a list (`key` tells its rows apart) is read until two passes in a row show
    the same rows, wherever they stand and however often, as many as the list says it has. One that
    cannot be asked for changes (`looks`) is done where all of it stood on one page; but not where that
    page had `full` rows or more, because an empty page behind it may have been a slip.
    """

    walk: Walk
    clock: Callable[[], datetime]
    key: Identify | None = None
    total: Callable[[bytes], int | None] = lambda _body: None
    looks: bool = True
    full: int | None = None
    started: datetime | None = None

    def pages(self, since: datetime | None) -> Iterator[Page]:
        """Yield every page, then those of later passes that hold something new.

        Raises:
            Unstable: Something new turned up at every look.
        """
        seen = _Pass()
        for page, rows in self._pass(since):
            if self.key is not None:
                seen.add(rows, self.key, self.total(page.body))
            yield page
        is_full = self.full is not None and len(seen.rows) >= self.full
        if self.key is not None and (seen.pages > 1 or is_full or not seen.is_whole()):
            yield from self._until_two_agree(since, seen, self.key)
        elif self.looks:
            yield from self._until_quiet(since)

    def _until_two_agree(self, since: datetime | None, before: "_Pass", key: Identify) -> Iterator[Page]:
        known = set(before.rows.values())
        for _ in range(ROUNDS):
            now = _Pass()
            for page, rows in self._pass(since):
                fresh = now.add(rows, key, self.total(page.body))
                if not fresh <= known:
                    known |= fresh
                    yield page
            if now.rows == before.rows and now.is_whole():
                return
            before = now
        raise Unstable(before.complaint())

    def _until_quiet(self, since: datetime | None) -> Iterator[Page]:
        known: frozenset[int] = frozenset()
        for _ in range(ROUNDS):
            changed: set[int] = set()
            for page, rows in self._pass((self.started or self.clock()) - SECOND):
                marks = {hash(bytes(row)) for row in rows}
                if marks - known:
                    yield page
                changed |= marks
            if changed <= known:
                return
            known = frozenset(changed)
            if self.key is not None:
                yield from (page for page, _ in self._pass(since))
        raise Unstable(f"rows still changed after {ROUNDS} looks")

    def _pass(self, since: datetime | None) -> Iterator[tuple[Page, Rows]]:
        self.started = None
        for page, rows in self.walk(since):
            # The provider's own clock at the first answer, unless it is ahead of ours: what changes later is
            # looked for from there.
            self.started = self.started or min(page.provider_clock or self.clock(), self.clock())
            yield page, rows


@dataclass(slots=True)
class _Pass:
    """The rows of one pass over a list, each once: key to a hash of its newest content."""

    rows: dict[bytes, bytes] = field(default_factory=dict)
    pages: int = 0
    stated: int | None = None

    def add(self, rows: Rows, key: Identify, stated: int | None) -> set[bytes]:
        """Note the rows of one page; return the hashes of their contents."""
        self.pages += bool(rows)
        self.stated = stated if stated is not None else self.stated
        found = {key(row): hashlib.sha256(bytes(row)).digest() for row in rows}
        self.rows.update(found)
        return set(found.values())

    def is_whole(self) -> bool:
        """Tell whether the pass has as many rows as the list says, where it says so."""
        return self.stated in {None, len(self.rows)}

    def complaint(self) -> str:
        """Return what is wrong with a list that kept changing."""
        if self.is_whole():
            return f"no two of {ROUNDS + 1} passes over the list showed the same rows"
        return f"the list says that it has {self.stated} rows and shows {len(self.rows)}"
