"""From a finished snapshot in the landing to committed versions: decode, stage, admit, commit, log the commit.

The same function serves today's fetch, a snapshot an earlier run could not load,
and a rebuild of the warehouse from the landing alone.
"""

import contextlib
import hashlib
import traceback
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from flows import log
from flows.errors import PlanreconError
from flows.live import came
from flows.settings import ProviderSettings
from flows.steps.request import ThisRun
from providers import PROVIDERS
from providers.base import Decoded, Provider
from providers.outline import Outline
from providers.rows import Shape, carried
from providers.tables import Places
from providers.whole import whole_page
from schemas.intake import DECODE_REJECTS, HELD, Admitted
from schemas.table import GateError
from sql.connection import explained
from sql.conservation import ConservationError
from sql.core.ledger import always_carried
from sql.core.loads import Load, LoadReport, Sweep
from sql.core.versions import commit_load
from sql.errors import Damaged, StoreError
from sql.intake.parts import PART, away
from sql.intake.received import received, without
from sql.intake.staging import StageOptions, Staging, staging
from sql.kept import Kept, kept_pages
from sql.storage.commits import log_loads
from sql.storage.landing import Landing, SnapshotFacts, StoredPage
from sql.storage.seals import Seal
from sql.warehouse import SCHEMA_VERSION
from transforms.intake.admit import ContractError, PutAway, check_carried
from transforms.intake.counts import summed
from transforms.intake.held import admit_without

PAGES = {"page_no": pl.Int64(), "sweep": pl.String(), "entity": pl.String(), "sha256": pl.String(), "rows": pl.Int64()}

PLACE = ("page_no", "position")

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


def load_snapshot(
    this: ThisRun,
    con: duckdb.DuckDBPyConnection,
    facts: SnapshotFacts,
    section: ProviderSettings,
    *,
    loaded_at: datetime,
    is_new: bool = True,
    unread: str = "",
    held: pl.DataFrame | None = None,
) -> LoadReport:
    """Make one finished snapshot known; a snapshot that is known already changes nothing.

    Args:
        this: The run.
        con: The warehouse, opened for writing.
        facts: The finished snapshot.
        section: The provider's settings: zone, currency, symbols.
        loaded_at: The moment its rows become known.
        is_new: It was never loaded before: one that was may lack what a later one carries.
        unread: Why no page of it is looked at: the load then has no rows, and no sweep of it counts as complete.
        held: `HELD` of rows that it refused when it was made first and that a later replay brings in.
    """
    reading = Reading()
    held = pl.DataFrame(schema=dict(HELD)) if held is None or unread else held
    kept = Kept() if unread else kept_pages(con, this.landing, facts, PROVIDERS[facts.provider].ties)
    reading.note_kept(kept)
    with away(con) as put_away:
        snapshot = staged_rows(this, con, facts, section, reading, unread=unread, held=held, kept=kept.pages)
        with snapshot as (staging, options):
            if is_new and any(rows > 1 and not with_it for rows, with_it in reading.carried.values()):
                always = always_carried(con, facts.provider, facts.tenant_id)
                check_carried(kept.carried(reading.carried, always), always)
            _tell_of_words(facts, staging.tenant_words)
            admitted = admitted_rows(staging.parts, reading, held, put_away)
            rows = staging.rows.join(admitted.rejects, on=PLACE, how="semi")
        rows = hashed(this.landing, facts, rows, reading, kept.pages)
        admitted = replace(admitted, counts=summed([admitted.counts, kept.counts]))
        load = Load(
            load_id=load_id(facts),
            provider=facts.provider,
            tenant_id=facts.tenant_id,
            snapshot_id=facts.id,
            fetched_at=facts.opened_at,
            fetched_on=options.fetched_on,
            loaded_at=loaded_at,
            sweeps=tuple(_sweeps(this.landing.seals(facts.id), reading, unread)),
            schema_version=SCHEMA_VERSION,
            overlap=timedelta(minutes=this.settings.run.overlap_minutes),
        )
        report = commit_load(
            con,
            load,
            admitted,
            pages=pl.DataFrame(reading.pages, schema=PAGES, orient="row"),
            rows=rows,
            unknown_fields=dict(reading.unknown),
            carried=reading.carried,
            kept_runs=kept.runs,
        )
    log_loads(con, this.commit_log)
    log.LOGGER.info(
        "loaded %s/%s: %s",
        facts.provider,
        facts.tenant_id,
        _counted(report) if report.is_new else "known already",
        extra=log.STEP,
    )
    came(facts.provider, rows=int(report.counts["accepted"].sum()) if report.is_new else 0)
    return report


def _tell_of_words(facts: SnapshotFacts, words: pl.DataFrame) -> None:
    for _, name, value, _ in words.iter_rows():
        log.LOGGER.warning(
            "%s/%s: the provider gives %r as %s, which is none; that of the configuration counts (providers.%s)",
            facts.provider,
            facts.tenant_id,
            value,
            name,
            facts.provider,
        )


@contextlib.contextmanager
def staged_rows(
    this: ThisRun,
    con: duckdb.DuckDBPyConnection,
    facts: SnapshotFacts,
    section: ProviderSettings,
    reading: Reading,
    *,
    unread: str = "",
    held: pl.DataFrame | None = None,
    kept: Container[int] = (),
    part: int = PART,
) -> Iterator[tuple[Staging, StageOptions]]:
    """Stage the rows of a snapshot with the present program and settings while the block runs, without those on the pages `kept`.

    What of `held` decoding had refused is not among them: staging never saw it.
    """
    zone = ZoneInfo(section.timezone or "UTC")
    options = StageOptions(
        provider=facts.provider,
        tenant_id=facts.tenant_id,
        timezone=section.timezone or "UTC",
        fetched_on=facts.opened_at.astimezone(zone).date(),
        currency=section.currency,
        currency_symbols=section.symbols(),
    )
    provider = PROVIDERS[facts.provider]
    pages = read_pages(provider, () if unread else this.landing.pages(facts.id, but=kept), reading)
    with received(con, pages, provider.TABLES) as rows:
        unseen = pl.DataFrame() if held is None else held.filter(~pl.col("is_decoded")).select("page_no", "position")
        with staging(con, without(con, rows, unseen) if unseen.height else rows, options, part=part) as staged:
            yield staged, options


def admitted_rows(
    parts: Iterable[Mapping[str, pl.DataFrame]], reading: Reading, held: pl.DataFrame, put_away: PutAway | None = None
) -> Admitted:
    """Return the staged rows sorted into good ones and reasons, those of `held` refused for the reasons of then."""
    return admit_without(
        parts,
        held,
        decode_rejects=pl.DataFrame(reading.rejects, schema=dict(DECODE_REJECTS), orient="row"),
        decoded_rows=dict(reading.rows),
        sweeps=pl.DataFrame(reading.pages, schema=PAGES, orient="row").select("page_no", "sweep"),
        put_away=put_away,
    )


def hashed(
    landing: Landing, facts: SnapshotFacts, rows: pl.DataFrame, reading: Reading, kept: Iterable[int]
) -> pl.DataFrame:
    """Return the rows with their hashes: of few rows they are asked for, so the pages of those that have none are read again."""
    bare = set(rows.filter(pl.col("row_hash").is_null())["page_no"])
    if not bare:
        return rows
    others = {page_no for page_no, *_ in reading.pages if page_no not in bare}
    hashes = [
        (page.page_no, position, row_hash)
        for page in landing.pages(facts.id, but=others.union(kept))
        for table in PROVIDERS[facts.provider].decode(page.entity, page.body, page.context).tables.values()
        for position, row_hash in zip(table["position"], table.get("row_hash", ()), strict=False)
    ]
    found = pl.DataFrame(hashes, schema=rows.schema, orient="row")
    return rows.update(found, on=PLACE, how="left")


class Unloadable(PlanreconError):  # noqa: N818  the word says what happened
    """What one snapshot holds cannot be loaded; `trace` says where it failed, for the person who mends the program."""

    def __init__(self, facts: SnapshotFacts, error: Exception) -> None:
        is_told = isinstance(error, ContractError | ConservationError | GateError | Damaged)
        # A library's message may quote a row.
        why = str(error) if is_told else f"an error nobody expected ({type(error).__name__}), report it"
        super().__init__(f"{facts.provider}/{facts.tenant_id}: snapshot {facts.id} cannot be loaded: {why}")
        self.code = "conservation" if isinstance(error, ConservationError) else getattr(error, "code", "internal")
        self.trace = "".join(traceback.format_exception(error))


@contextlib.contextmanager
def blaming(facts: SnapshotFacts, warehouse: Path) -> Iterator[None]:
    """Turn an error caused by a snapshot's own contents into the end of that snapshot's load alone.

    Raises:
        Unloadable: the contents broke the load.
        StoreError: the warehouse or the machine did, and would break the next load too.
    """
    try:
        yield
    except (StoreError, OSError, MemoryError) as error:
        if isinstance(error, Damaged) and facts.folder in (error.where, *error.where.parents):
            raise Unloadable(facts, error) from error
        raise
    except duckdb.Error as error:
        if isinstance(error, duckdb.FatalException | duckdb.InternalException | duckdb.OutOfMemoryException):
            raise
        explanation = explained(error, warehouse)
        if explanation is not None:
            raise explanation from error
        raise Unloadable(facts, error) from error
    except Exception as error:
        raise Unloadable(facts, error) from error


def load_id(facts: SnapshotFacts) -> str:
    """Return the identity of a load: what was received and the code schema that reads it."""
    return hashlib.sha256(f"{facts.digest}|{SCHEMA_VERSION}".encode()).hexdigest()


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


def _sweeps(seals: Mapping[str, Seal], reading: Reading, unread: str) -> Iterator[Sweep]:
    for seal in seals.values():
        fault = unread or ("a page could not be read; see the quarantine" if seal.name in reading.unreadable else "")
        yield Sweep(
            name=seal.name,
            since=seal.since,
            complete=seal.complete and not fault,
            reason=seal.reason or fault,
            pages=seal.count,
            rows=reading.by_sweep[seal.name],
            started_clock=seal.started_clock,
            started_at=seal.started_at,
        )


def _counted(report: LoadReport) -> str:
    totals = report.counts.group_by("entity", maintain_order=True).agg(
        pl.col("accepted", "quarantined", "deduplicated").sum()
    )
    parts = [
        f"{accepted:,} {entity}" + (f" ({quarantined:,} quarantined)" if quarantined else "")
        for entity, accepted, quarantined, _ in totals.iter_rows()
        if accepted or quarantined
    ]
    return ", ".join(parts) or "nothing new"
