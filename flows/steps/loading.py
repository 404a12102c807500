"""From a finished snapshot in the landing to committed versions: decode, stage, admit, commit, log the commit.

The same function serves today's fetch, a snapshot an earlier run could not load,
and a rebuild of the warehouse from the landing alone.
"""

import contextlib
import hashlib
import traceback
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from flows import log
from flows.errors import PlanreconError
from flows.live import came
from flows.settings import ProviderSettings
from flows.steps.reading import PAGES, Reading, read_pages
from flows.steps.request import ThisRun
from providers import PROVIDERS
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
from sql.storage.landing import Landing, SnapshotFacts
from sql.storage.seals import Seal
from sql.warehouse import SCHEMA_VERSION
from transforms.intake.admit import ContractError, PutAway, check_carried
from transforms.intake.counts import summed
from transforms.intake.held import admit_without

PLACE = ("page_no", "position")


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
    with away(this.settings.warehouse.state_dir / "spill") as put_away:
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
