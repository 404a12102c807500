"""Pages as a whole: cutting rows out of an envelope, refusing a page, keeping an eye on paging.

Paging ends at the provider's own end signal and nowhere else. What comes twice, or never ends,
is an error and not an end.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from providers.answers import Reply, expect_json, unmarked
from providers.base import Decoded, Page, Reject
from providers.errors import Truncated, Unreadable, Unstable
from providers.rows import PAGE, UNREADABLE, Fault, Reading, Shape, envelope_fault, fault_of, misleads, read_rows
from providers.tables import Table

E = TypeVar("E")
S = TypeVar("S", bound=msgspec.Struct)
ROUNDS = 3
"""How often rows that changed while they were read are asked for again."""
SECOND = timedelta(seconds=1)
_BUSINESS = "ENVELOPE_ERROR"


def parsed(reply: Reply, read: Callable[[bytes], E], *, provider: str, place: str) -> E:
    """What `read` makes of the answer's body; an answer cut short or garbled may be whole on the next try."""
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
    """The page's rows one by one, or why the page as a whole cannot be read. Never raises because of data."""
    body = unmarked(body)
    exact = misleads(body)
    try:
        raws = [bytes(raw) for raw in cut(body)]
        fault = envelope_fault(body, exact=exact)
    except UNREADABLE as error:
        fault = fault_of(error)
        return Fault(_BUSINESS, fault.column, fault.reason) if isinstance(error, msgspec.ValidationError) else fault
    if fault is not None:
        return fault
    return read_rows(raws, shape, context, exact=exact)


def refused_page(fault: Fault, tables: Sequence[Table], key: str | None = None) -> Decoded:
    """A page that cannot be read as a whole: empty tables and one reject at position -1."""
    reject = Reject(PAGE, fault.code, fault.column, fault.reason, key)
    return Decoded({table.name: table.empty() for table in tables}, [reject], 0, {})


class Watch:
    """Refuses a cursor or a page seen before in this pass, and a pass without end."""

    def __init__(self, provider: str, place: str, cap: int) -> None:
        self._provider, self._place, self._cap = provider, place, cap
        self._seen: set[bytes] = set()

    def new(self, mark: str | bytes) -> None:
        """`mark` has not been seen before; else the paging goes in a circle."""
        digest = hashlib.sha256(mark.encode() if isinstance(mark, str) else mark).digest()
        if digest in self._seen:
            self._stop("paging goes in a circle: a cursor or page came twice")
        if len(self._seen) >= self._cap:
            self._stop(f"paging has not ended after {self._cap} pages")
        self._seen.add(digest)

    def _stop(self, what: str) -> None:
        raise Unreadable(what, provider=self._provider, endpoint=self._place)


def iso(moment: datetime) -> str:
    """A moment as providers take it: UTC, whole seconds rounded down, so that nothing is left out."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Rows = Sequence[msgspec.Raw]
Walk = Callable[[datetime | None], Iterator[tuple[Page, Rows]]]


@dataclass(slots=True)
class Settling:
    """Reads a list, and reads on until nothing is known to have moved while it was read.

    A list of one page, or by cursor, is followed by one look at what changed meanwhile. Numbered
    pages (`shifts`) move under the reader when a row changes or goes, and a row that goes shows
    in no look at changes: such a list is read until two passes in a row agree.
    """

    walk: Walk
    clock: Callable[[], datetime]
    shifts: bool
    started: datetime | None = None

    def pages(self, since: datetime | None) -> Iterator[Page]:
        """Every page, and after them those that hold something new.

        Raises:
            Unstable: Something new turned up at every look.
        """
        marks: list[bytes] = []
        for page, rows in self._pass(since):
            if self.shifts and rows:
                marks.append(hashlib.sha256(page.body).digest())
            yield page
        yield from self._until_two_agree(since, marks) if len(marks) > 1 else self._until_quiet(since)

    def _until_two_agree(self, since: datetime | None, before: list[bytes]) -> Iterator[Page]:
        seen = set(before)
        for _ in range(ROUNDS):
            now: list[bytes] = []
            for page, rows in self._pass(since):
                if not rows:
                    continue
                now.append(hashlib.sha256(page.body).digest())
                if now[-1] not in seen:
                    seen.add(now[-1])
                    yield page
            if now == before:
                return
            before = now
        raise Unstable(f"no two of {ROUNDS + 1} passes over the list agreed")

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
            if self.shifts:
                yield from (page for page, _ in self._pass(since))
        raise Unstable(f"rows still changed after {ROUNDS} looks")

    def _pass(self, since: datetime | None) -> Iterator[tuple[Page, Rows]]:
        self.started = None
        for page, rows in self.walk(since):
            # The provider's own clock at the first answer: what changes later is looked for from there.
            self.started = self.started or page.provider_clock or self.clock()
            yield page, rows
