"""Find pages that were received before, so that equal bytes are stored once, and find their bytes again.

A page lies where it first came in, among the own pages of that sweep's seal. Later sweeps that receive it again
name it there (`Span`); nothing names a name, so that a page is found in one step.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, repeat
from pathlib import Path
from typing import NamedTuple

from sql.errors import Damaged
from sql.storage.seals import PageFacts, Seal, Span, digest_of_pages, read_seal

PACK, SEAL = ".pack", ".seal.json"

Group = Callable[[Mapping[str, str]], str]
"""From a page's context to the name of the account that was asked; empty where a list is asked as a whole."""


class Place(NamedTuple):
    """Where a page lies: own page `number` of the seal of `pack`, counted from 0."""

    snapshot: str
    pack: str
    number: int


class Listed(NamedTuple):
    """A page of a sweep, its bytes not read: what is known of it, and where it lies.

    `is_own`: it came in with this sweep; else it is named, and `as_was` as its span says.
    """

    page: PageFacts
    place: Place
    is_own: bool = True
    as_was: bool = False


def every_seal(folder: Path) -> list[Seal]:
    """Return the seals of a snapshot in the order its sweeps were made."""
    return [read_seal(path) for path in sorted(folder.glob(f"*{SEAL}"))]


def latest_seals(folder: Path) -> dict[str, Seal]:
    """Return the seal that counts of each sweep of a snapshot, in the order these were made."""
    latest: dict[str, Seal] = {}
    for seal in every_seal(folder):
        latest.pop(seal.name, None)
        latest[seal.name] = seal
    return latest


class Seals:
    """Reads seals of one provider, each once."""

    def __init__(self, provider_folder: Path) -> None:
        self._root = provider_folder
        self._read: dict[tuple[str, str], Seal] = {}

    def of(self, snapshot: str, pack: str) -> Seal:
        """Return the seal of a pack.

        Raises:
            Damaged: it is gone or not what was written.
        """
        if (snapshot, pack) not in self._read:
            path = self._root / snapshot / (pack.removesuffix(PACK) + SEAL)
            self._read[snapshot, pack] = read_seal(path)
        return self._read[snapshot, pack]

    def note(self, snapshot: str, seals: Iterable[Seal]) -> None:
        """Take seals that were read already."""
        self._read |= {(snapshot, seal.pack): seal for seal in seals}

    def listed(self, snapshot: str, seal: Seal) -> list[Listed]:
        """Return every page of a sweep in the order received, those of earlier sweeps in their place.

        Raises:
            Damaged: an earlier sweep does not hold what this one names.
        """
        own = list(map(Listed, seal.pages, _places(snapshot, seal.pack)))
        pages: list[Listed] = []
        begin = 0
        for span in seal.spans:
            pages += own[begin : span.at]
            pages += self._spanned(span)
            begin = span.at
        return pages + own[begin:]

    def _spanned(self, span: Span) -> list[Listed]:
        pages = self.of(span.snapshot, span.pack).pages[span.first : span.first + span.count]
        if len(pages) != span.count or digest_of_pages(pages) != span.sha256:
            where = self._root / span.snapshot
            what = "does not hold the pages that a later fetch received again"
            raise Damaged(f"{where / span.pack} {what}; restore the folder from a backup", where=where)
        places = _places(span.snapshot, span.pack, span.first)
        return list(map(Listed, pages, places, repeat(False), repeat(span.as_was)))


def _places(snapshot: str, pack: str, first: int = 0) -> Iterator[Place]:
    return map(Place, repeat(snapshot), repeat(pack), count(first))


@dataclass(slots=True)
class Shown:
    """What one tenant's earlier sweeps showed, the newest first: where each page lies, and all of each group.

    A group is `(sweep, account)`, of a list `(sweep, "")`; one that did not come in whole is not in `groups`.
    """

    group: Group = lambda _context: ""
    groups: dict[tuple[str, str], tuple[Listed, ...]] = field(default_factory=dict)
    _met: set[tuple[str, str]] = field(default_factory=set)
    _whole: set[str] = field(default_factory=set)
    _same: dict[tuple[str, str, str], list[Listed]] = field(default_factory=dict)

    def add(self, sweep: str, pages: Sequence[Listed], unread: Iterable[str] = ()) -> None:
        """Take an older sweep: what newer ones showed of the same groups and pages stays."""
        gathered: dict[tuple[str, str], list[Listed]] = {}
        for one in pages:
            name = self.group(one.page.context)
            gathered.setdefault((sweep, name), []).append(one)
            self._same.setdefault((sweep, name, one.page.sha256), []).append(one)
        unknown = {(sweep, name) for name in unread}
        fresh = {name: tuple(found) for name, found in gathered.items() if name not in self._met | unknown}
        self.groups |= fresh
        self._met |= gathered.keys() | unknown

    def add_snapshot(self, sweeps: Sequence[tuple[Seal, Sequence[Listed]]]) -> bool:
        """Take all sweeps of an older snapshot; tell whether even older ones have nothing to add.

        Each sweep is looked through up to one that showed everything: what is asked account by account does each time.
        """
        for seal, pages in sweeps:
            if seal.name in self._whole:
                continue
            self.add(seal.name, pages, seal.unread)
            if seal.complete and (seal.since is None or any(self.group(one.page.context) for one in pages[:1])):
                self._whole.add(seal.name)
        return self._whole >= {seal.name for seal, _ in sweeps}

    def find(self, sweep: str, name: str, page: PageFacts) -> Listed | None:
        """Return the page of a group with this body that was received in answer to the same question, if any was."""
        asked = (page.entity, page.status, page.context)
        same = self._same.get((sweep, name, page.sha256), ())
        return next((one for one in same if (one.page.entity, one.page.status, one.page.context) == asked), None)

    def split(self, sweep: str, pages: Sequence[tuple[str, Listed]]) -> tuple[tuple[PageFacts, ...], tuple[Span, ...]]:
        """Return the own pages of a sweep, each given with its group's name, and the spans for those that lie elsewhere."""
        shown: dict[str, list[Place]] = {}
        for name, one in pages:
            shown.setdefault(name, []).append(one.place)
        same = {name for name, places in shown.items() if places == self._places_of(sweep, name)}
        own: list[PageFacts] = []
        runs: list[_Run] = []
        for name, one in pages:
            if one.is_own:
                own.append(one.page)
            elif not (runs and runs[-1].takes(len(own), one.place, as_was=name in same)):
                runs.append(_Run(len(own), one.place, name in same, [one.page]))
            else:
                runs[-1].pages.append(one.page)
        return tuple(own), tuple(run.span() for run in runs)

    def _places_of(self, sweep: str, name: str) -> list[Place]:
        return [one.place for one in self.groups.get((sweep, name), ())]


@dataclass(slots=True)
class _Run:
    """Pages that lie one after the other, as far as they were met."""

    at: int
    first: Place
    as_was: bool
    pages: list[PageFacts]

    def takes(self, at: int, place: Place, *, as_was: bool) -> bool:
        snapshot, pack, number = self.first
        following = (snapshot, pack, number + len(self.pages))
        return (self.at, self.as_was, following) == (at, as_was, place)

    def span(self) -> Span:
        place, sha256 = self.first, digest_of_pages(self.pages)
        return Span(self.at, place.snapshot, place.pack, place.number, len(self.pages), sha256, self.as_was)
