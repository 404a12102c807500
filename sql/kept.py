"""Find the pages of a fetch that need not be read: they say what they said when an earlier load read them.

Such a page is a name for bytes that came before, and all that its account showed is as it was when last fetched. Its
rows are stored already: it counts with the rows it had then, all of them repeats. Of a sweep for everything every page
is read, so that what is absent is found there and whatever was kept too long is put right.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import duckdb
import polars as pl

from schemas.intake import COUNTS, ENTITIES
from sql.connection import lent
from sql.core.loads import sweeps_of
from sql.quarantine import refused_pages
from sql.scripts import statements
from sql.storage.landing import Landing, SnapshotFacts
from sql.storage.references import Listed, Place
from sql.storage.seals import Seal

RUNS = {name: pl.Int64() for name in ("page_no", "pages", "like_load_no", "like_page_no")}


class _Read(NamedTuple):
    """A page as an earlier load read it."""

    load_no: int
    page_no: int
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Kept:
    """Pages that count as they did.

    `runs` are those that follow each other here and in the load that read them, `counts` is `COUNTS` of their rows,
    `rows` the top-level rows of each: sweep, page entity, number.
    """

    pages: frozenset[int] = frozenset()
    runs: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RUNS))
    counts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(COUNTS)))
    rows: tuple[tuple[str, str, int], ...] = ()

    def carried(
        self, carried: Mapping[tuple[str, str], tuple[int, int]], always: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[int, int]]:
        """Return by page entity and field how many rows could carry it and did, these pages included.

        They said before what they say: a field that every row before carried they carry too.
        """
        rows = Counter[str]()
        for _, entity, count in self.rows:
            rows[entity] += count
        both = dict(carried)
        for entity, name in always:
            could, did = both.get((entity, name), (0, 0))
            both[entity, name] = (could + rows[entity], did + rows[entity])
        return both


def kept_pages(
    con: duckdb.DuckDBPyConnection,
    landing: Landing,
    facts: SnapshotFacts,
    ties: Callable[[Mapping[str, str]], tuple[str, ...]],
) -> Kept:
    """Return the pages of a snapshot that need not be read.

    Args:
        con: The warehouse.
        landing: Where the snapshot lies.
        facts: The snapshot, not loaded yet.
        ties: From a page's context to what its rows are read with; a page is read where one it is tied to is.
    """
    judged = frozenset[str]().union(*(sweeps_of(facts.provider, entity) for entity in ENTITIES))
    seals = landing.seals(facts.id).values()
    may_stay = {seal.name for seal in seals if seal.since is not None or seal.name not in judged}
    named = {span.snapshot for seal in seals if seal.name in may_stay for span in seal.spans if span.as_was}
    if not named or not _is_next(con, landing, facts):
        return Kept()
    read = _read_before(con, landing, facts, named)
    refused = refused_pages(con, facts.provider, facts.tenant_id)
    listed = list(landing.listed(facts.id))
    tied = [ties(one.page.context) for _, one in listed]

    def as_read(seal: Seal, one: Listed, account: str) -> _Read | None:
        if not one.as_was or seal.name not in may_stay or account in seal.unread or one.page.sha256 in refused:
            return None
        before = read.get(one.place)
        return before if before is not None and before.sha256 == one.page.sha256 else None

    found = [as_read(seal, one, names[0]) for (seal, one), names in zip(listed, tied, strict=True)]
    kept = _untied(tied, {number for number, before in enumerate(found) if before is not None})
    pages = [(number, before) for number, before in enumerate(found) if before is not None and number in kept]
    runs = pl.DataFrame(_runs(pages), schema=RUNS, orient="row")
    rows = tuple((listed[number][0].name, listed[number][1].page.entity, before.rows) for number, before in pages)
    return Kept(frozenset(kept), runs, _counts(con, runs), rows)


def write_kept(con: duckdb.DuckDBPyConnection, load_no: int, page_counts: pl.DataFrame, runs: pl.DataFrame) -> None:
    """Record the rows of each page that a load read, and the pages that it did not."""
    for table, frame in (("page_counts", page_counts), ("kept_pages", runs)):
        if frame.height:
            with lent(con, {"fresh": frame.select(pl.lit(load_no, pl.Int64).alias("load_no"), pl.all())}):
                con.execute(f"INSERT INTO raw.{table} BY NAME FROM fresh")


def _is_next(con: duckdb.DuckDBPyConnection, landing: Landing, facts: SnapshotFacts) -> bool:
    """Tell whether every fetch of the tenant since the last one for everything was loaded: else what holds is not known."""
    who = {"provider": facts.provider, "tenant_id": facts.tenant_id}
    loaded = dict(con.sql(statements("queries/loads_with_pages.sql"), params=who).fetchall())
    whole = max((snapshot for snapshot, mode in loaded.items() if mode == "FULL"), default="")
    return bool(whole) and all(
        snapshot in loaded
        for snapshot in landing.of_tenant(facts.provider, facts.tenant_id)
        if whole < snapshot < facts.id
    )


def _read_before(
    con: duckdb.DuckDBPyConnection, landing: Landing, facts: SnapshotFacts, snapshots: Iterable[str]
) -> dict[Place, _Read]:
    """Return, by their places, the pages of earlier snapshots that were read and counted one by one."""
    found: dict[Place, _Read] = {}
    for snapshot in sorted(snapshots):
        wanted = {"provider": facts.provider, "tenant_id": facts.tenant_id, "snapshot_id": snapshot}
        rows = con.sql(statements("queries/counted_pages.sql"), params=wanted).fetchall()
        pages = [one for _, one in landing.listed(snapshot)]
        found |= {pages[row[1]].place: _Read(*row) for row in rows if pages[row[1]].is_own}
    return found


def _untied(tied: list[tuple[str, ...]], kept: set[int]) -> set[int]:
    """Return those of `kept` that no page to be read is tied to, and none tied to such a one.

    Account A is as it was and shows plan 7, which B, to be read, shows too: A is read with it, and so is C, which has A's
    reference.
    """
    kept = set(kept)
    names = {name for number, own in enumerate(tied) if number not in kept for name in own}
    while True:
        more = {number for number in kept if not names.isdisjoint(tied[number])}
        if not more:
            return kept
        kept -= more
        names |= {name for number in more for name in tied[number]}


def _runs(pages: list[tuple[int, _Read]]) -> list[list[int]]:
    """Return `RUNS`: pages 4, 5, 7 that were 14, 15, 17 of load 2 are (4, 2, 2, 14) and (7, 1, 2, 17)."""
    runs: list[list[int]] = []
    for number, before in pages:
        if runs:
            first, count, load_no, like = runs[-1]
            if (first + count, load_no, like + count) == (number, before.load_no, before.page_no):
                runs[-1][1] += 1
                continue
        runs.append([number, 1, before.load_no, before.page_no])
    return runs


def _counts(con: duckdb.DuckDBPyConnection, runs: pl.DataFrame) -> pl.DataFrame:
    """Return `COUNTS` of the rows of these pages, all of them repeats."""
    with lent(con, {"runs": runs}):
        counts: pl.DataFrame = con.sql(statements("queries/kept_counts.sql")).pl()
    return counts.select(pl.col(name).cast(dtype) for name, dtype in COUNTS.items())
