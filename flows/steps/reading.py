"""The pages of a finished snapshot as columns, and what reading them gave besides: counts, refused rows, unknown fields."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from providers.base import Decoded, Provider
from providers.outline import Outline
from providers.rows import Shape, carried
from providers.tables import Places
from providers.whole import whole_page
from sql.kept import Kept
from sql.storage.landing import StoredPage

PAGES = {"page_no": pl.Int64(), "sweep": pl.String(), "entity": pl.String(), "sha256": pl.String(), "rows": pl.Int64()}

_UNCOUNTED = 5_000
"""Rows that wait before it is counted what they carry."""


@dataclass(slots=True)
class Reading:
    """What decoding the pages of a snapshot gave besides the rows."""

    pages: list[tuple[int, str, str, str, int]] = field(default_factory=list)
    rejects: list[tuple[object, ...]] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    carried: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """Page entity and field to the rows that could carry it and those that did."""
    by_sweep: Counter[str] = field(default_factory=Counter)
    unreadable: set[str] = field(default_factory=set)
    uncounted: dict[str, tuple[Shape[Any], list[Any]]] = field(default_factory=dict)

    def note_kept(self, kept: Kept) -> None:
        """Count the pages that are not decoded."""
        for sweep, entity, rows in kept.rows:
            self.rows[entity] += rows
            self.by_sweep[sweep] += rows

    def note(self, page: StoredPage, decoded: Decoded) -> None:
        """Count one page."""
        self.pages.append((page.page_no, page.sweep, page.entity, page.sha256, decoded.rows))
        self.rows[page.entity] += decoded.rows
        self.by_sweep[page.sweep] += decoded.rows
        self.unknown.update({(page.entity, name): count for name, count in decoded.unknown_fields.items()})
        self._add_carried(page.entity, decoded.carried)
        for one in decoded.rejects:
            row = (page.page_no, page.entity, one.position, one.code, one.column, one.reason, one.key, one.rows)
            self.rejects.append(row)
            if one.position < 0:
                self.unreadable.add(page.sweep)

    def note_whole(self, page: StoredPage, rows: Sequence[Any], outline: Outline) -> None:
        """Count one page that fits: nothing of it is refused and nothing unknown; what its rows carry is counted with others."""
        self.note(page, Decoded({}, [], len(rows), {}))
        _, waiting = self.uncounted.setdefault(page.entity, (outline.shape, []))
        waiting += rows
        if len(waiting) >= _UNCOUNTED:
            self.count_carried()

    def count_carried(self) -> None:
        """Count what the rows carry that wait for it."""
        for entity, (shape, rows) in self.uncounted.items():
            self._add_carried(entity, dict(carried(rows, shape)))
        self.uncounted.clear()

    def _add_carried(self, entity: str, counts: Mapping[str, tuple[int, int]]) -> None:
        for name, (could, did) in counts.items():
            could_before, did_before = self.carried.get((entity, name), (0, 0))
            self.carried[entity, name] = (could_before + could, did_before + did)


def read_pages(
    provider: Provider, pages: Iterable[StoredPage], reading: Reading
) -> Iterator[tuple[int, Mapping[str, Mapping[str, list[Any]]]]]:
    """Yield the columns of each page with its number; rows of a page that fits whole have no hash yet."""
    for page in pages:
        outline = provider.OUTLINES.get(page.entity)
        rows = whole_page(page.body, outline, page.context) if outline is not None else None
        if outline is None or rows is None:
            decoded = provider.decode(page.entity, page.body, page.context)
            reading.note(page, decoded)
            yield page.page_no, decoded.tables
        else:
            reading.note_whole(page, rows, outline)
            yield page.page_no, outline.columns(rows, Places(range(len(rows)), [None] * len(rows)), page.context)
    reading.count_carried()
