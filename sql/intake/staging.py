"""Bring a provider's received rows into the shape that all providers share: the staged frames.

Rename, cast and find repeats in the SQL of the provider's own folder (`stg/<provider>/`).
What is right or wrong about a row is decided in `transforms.intake`; nothing is
written to the warehouse here.
"""

import contextlib
import re
import sys
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from graphlib import TopologicalSorter

import duckdb
import polars as pl

from schemas.currencies import EXPONENTS
from schemas.intake import STAGED, UNKNOWN_WORDS, in_shape, nothing_staged
from schemas.table import GateError
from sql.connection import lent
from sql.conservation import check_rows
from sql.intake.parts import PART, PARTED_BY, put_in_order, ranges_of
from sql.scripts import STAGING, seed, staging_folder, statements


@dataclass(frozen=True, slots=True)
class StageOptions:
    """What is configured about one tenant because its rows do not say it.

    `timezone` makes civil dates of timestamps. `currency` is the tenant's, null
    where rows carry a symbol, which `currency_symbols` turns into an ISO code.
    Where the provider has a row for the tenant and it was received, a valid zone and currency in it win over these.
    """

    provider: str
    tenant_id: str
    timezone: str
    fetched_on: date
    currency: str | None = None
    currency_symbols: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Staging:
    """The rows of one tenant being staged.

    `parts` yields the frames of `STAGED`, `page_entities` and `tenant_words`, in one part or, of many rows, in several: a
    plan is in one part with its terms. Frames that `PARTED_BY` does not name are whole in every part, but links and words
    of the tenant come once. `rows` lists page_no, position and hash (null where its page was read whole) of every top-level
    row, `tenant_words` what the tenant's own row says and no list of words knows.
    """

    parts: Iterator[dict[str, pl.DataFrame]]
    rows: pl.DataFrame
    tenant_words: pl.DataFrame


@contextmanager
def staging(
    con: duckdb.DuckDBPyConnection, received: Mapping[str, int], options: StageOptions, *, part: int = PART
) -> Iterator[Staging]:
    """Stage the rows of one tenant while the block runs.

    Natural keys and ids as text, money as the provider wrote it (`amount` decimal
    text or `amount_units` integer), dates civil and null where they cannot be
    read, then named in `unreadable`; repeats within the fetch marked by
    `is_repeat` (newest by updated time, page, position wins).
    Only the files of the provider's own folder are run, as temporary tables that are dropped again.

    Args:
        con: The connection with the received tables of `sql.intake.received`; those that were read are gone afterwards.
        received: How many rows each received table of the provider has.
        options: The tenant, and what its rows do not say.
        part: About how many rows of one entity are in a part.

    Raises:
        ConservationError: a received row is not in the frames; once the parts are read.
        GateError: nothing stages this provider, its files do not fit each other, or its SQL makes a frame of another
            shape or leaves open what becomes of a row.
    """
    symbols = {"symbol": list(options.currency_symbols), "currency": list(options.currency_symbols.values())}
    frames = {"currency_symbols": pl.DataFrame(symbols, schema={"symbol": pl.String, "currency": pl.String})}
    frames |= {name: seed(options.provider, name) for name in ("status_classes", "rule_words")}
    texts = staging_texts(options.provider)
    tenant_text = texts.pop("tenant", "")
    if not any(name in tenant_text and height for name, height in received.items()):
        tenant_text = ""
    texts = _fed(texts, received, options.provider)
    # Each statement and each frame named to the database costs a millisecond, on a quiet day more than its rows.
    read = {
        name: frame for name, frame in frames.items() if any(name in text for text in (tenant_text, *texts.values()))
    }
    with lent(con, read):
        if tenant_text or texts:
            _make_macros(con)
        options, tenant_words = _of_tenant(con, options, tenant_text)
        rows = _rows(con, received)
        count = -(-max(received.values(), default=0) // part)
        with contextlib.closing(_build(con, options, texts, max(count, 1))) as parts:
            yield Staging(_checked(parts, received, options, tenant_words), rows, tenant_words)


def stage(
    con: duckdb.DuckDBPyConnection, received: Mapping[str, int], options: StageOptions
) -> dict[str, pl.DataFrame]:
    """Return what `staging` gives in one part, with its `rows` and `tenant_words`."""
    with staging(con, received, options, part=sys.maxsize) as whole:
        [staged] = whole.parts
        return {**staged, "rows": whole.rows}


def _checked(
    parts: Iterable[dict[str, pl.DataFrame]],
    received: Mapping[str, int],
    options: StageOptions,
    tenant_words: pl.DataFrame,
) -> Iterator[dict[str, pl.DataFrame]]:
    """Yield the parts, the first with the words of the tenant; raise after the last one if a received row is in none."""
    page_entities = seed(options.provider, "page_entities")
    went: Counter[str] = Counter()
    for part in parts:
        went.update(_heights(part))
        yield {**part, "tenant_words": tenant_words, "page_entities": page_entities}
        tenant_words = tenant_words.clear()
    _check_nothing_lost(received, went, page_entities, options)


def staging_texts(provider: str) -> dict[str, str]:
    """Return the SQL of each file of the provider's folder by its name, those it builds on before it.

    Raises:
        GateError: there is no folder, or a file makes no frame and none builds on it, or is built on and not there.
    """
    folder = staging_folder(provider)
    if folder is None:
        raise GateError(
            f"nothing stages the provider {provider!r}: {', '.join(map(str, STAGING))} has no folder of that name; "
            "add it with a file for each staged frame, or name where it lies in STAGING (sql/scripts.py)"
        )
    texts = {
        file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }
    builds_on = {name: set(re.findall(rf"\bstg_{provider}__(\w+)", texts[name])) for name in sorted(texts)}
    parts = set().union(*builds_on.values())
    astray = (texts.keys() - STAGED.keys() - parts - {"tenant"}) | (parts - texts.keys())
    if astray:
        raise GateError(
            f"the staging of {provider!r} does not use, or lacks, {', '.join(sorted(astray))}; "
            f"correct the names in {folder}"
        )
    return {name: texts[name] for name in TopologicalSorter(builds_on).static_order()}


def _make_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Make the macros that staging reads with, once per connection: they last as long as it does."""
    if con.execute("SELECT getvariable('has_macros')").fetchall() == [(True,)]:
        return
    con.execute(statements("stg/macros.sql"))
    con.execute("SET VARIABLE has_macros = true")


def _of_tenant(con: duckdb.DuckDBPyConnection, options: StageOptions, text: str) -> tuple[StageOptions, pl.DataFrame]:
    """Return the options with zone and currency of the tenant's own row, and those of its words that are neither.

    For such a word the configured option stays.
    """
    if not text:
        return options, pl.DataFrame(schema=dict(UNKNOWN_WORDS))
    con.execute("SET VARIABLE tenant_id = $value", {"value": options.tenant_id})
    own = con.sql(text).pl().to_dicts()
    unknown = []
    for row in own:
        zone, currency = row["zone"], row["currency"]
        if zone and not _is_zone(con, zone):
            unknown.append((row["entity"], row["zone_field"], zone, 1))
            zone = ""
        if currency and currency.upper() not in EXPONENTS:
            unknown.append((row["entity"], row["currency_field"], currency, 1))
            # Without a configured currency the tenant's rows stay out under the one it names.
            currency = "" if options.currency else currency
        options = replace(options, currency=currency.upper() or options.currency, timezone=zone or options.timezone)
    return options, pl.DataFrame(unknown, schema=dict(UNKNOWN_WORDS), orient="row")


def _is_zone(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Tell whether the database that will make civil dates knows the zone."""
    known = con.execute("SELECT 1 FROM pg_timezone_names() WHERE lower(name) = lower($name)", {"name": name})
    return bool(known.fetchall())


def _fed(texts: Mapping[str, str], received: Mapping[str, int], provider: str) -> dict[str, str]:
    """Return the files that a received row feeds, and those they build on; the others would make frames without rows."""
    prefix = f"stg_{provider}__"
    reads = {name: set(re.findall(rf"\b(?:stg_)?{provider}__\w+", text)) for name, text in texts.items()}
    full = {name for name, height in received.items() if height}
    for name in texts:
        full |= {prefix + name} if reads[name] & full else set()
    for name in reversed(list(texts)):
        full |= reads[name] if prefix + name in full else set()
    return {name: text for name, text in texts.items() if prefix + name in full}


def _build(
    con: duckdb.DuckDBPyConnection, options: StageOptions, texts: Mapping[str, str], parts: int
) -> Generator[dict[str, pl.DataFrame]]:
    """Yield each frame of `STAGED` in parts: what the provider's file of that name makes, empty where none is to be run."""
    if texts:
        for name in ("timezone", "currency", "fetched_on"):
            con.execute(f"SET VARIABLE {name} = $value", {"value": getattr(options, name)})
    # A table is let go as soon as no file reads it any more: together they are the load several times over.
    last_read_by = {
        table: name
        for name, text in texts.items()
        for table in re.findall(rf"\b(?:stg_)?{options.provider}__\w+", text)
    }
    made: dict[str, pl.DataFrame] = {}
    parted: list[str] = []
    try:
        for name, text in texts.items():
            rows = text
            if _table(options, name) in last_read_by:
                # A table, not a view: planning a file costs more than running it on a quiet day, and a view is planned
                # for each frame that reads it, and once more to be made.
                con.execute(f"CREATE OR REPLACE TEMP TABLE {_table(options, name)} AS {text}")
                rows = f"FROM temp.{_table(options, name)}"
            if name in PARTED_BY and parts > 1:
                put_in_order(con, name, rows)
                parted.append(name)
            elif name in STAGED:
                made[name] = in_shape(con.sql(rows).pl(), name)
            _drop(con, [table for table, last in last_read_by.items() if last == name])
        whole = {name: made.get(name, nothing_staged(name)) for name in STAGED}
        for ranges in ranges_of(con, parted, parts):
            yield whole | {
                name: in_shape(con.sql(f"FROM temp.part_{name} {rows}").pl(), name) for name, rows in ranges.items()
            }
            whole["plan_accounts"] = nothing_staged("plan_accounts")
    finally:
        _drop(con, [_table(options, name) for name in texts if _table(options, name) in last_read_by])
        _drop(con, [f"part_{name}" for name in parted])


def _drop(con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
    for table in tables:
        con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _table(options: StageOptions, name: str) -> str:
    return f"stg_{options.provider}__{name}"


def _heights(staged: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    """Return the rows of each frame, those of payments by their place, and `shown`: money that only an account shows."""
    payments = staged["payments"]
    listed = payments.filter(pl.col("is_listed").fill_null(value=True))
    heights = {name: frame.height for name, frame in staged.items()}
    return heights | {
        "payments": listed.select("page_no", "position").n_unique(),
        "shown": payments.height - listed.height,
    }


def _check_nothing_lost(
    received: Mapping[str, int], went: Mapping[str, int], page_entities: pl.DataFrame, options: StageOptions
) -> None:
    """Raise unless each received row that feeds an entity is one row of its frame.

    A payment may be split over several accounts; it is counted by its place. Money that only an
    account shows (`pending_payments`) is not listed among the payments.
    """
    where = f"{options.provider}/{options.tenant_id}"
    # A policy may come within another row; the rows of these come from a table that feeds them, or not at all.
    fed = Counter(dict.fromkeys(("plans", "terms", "payments", "accounts", "customers"), 0))
    for columns in (("entity", "rows"), ("child_entity", "child_rows")):
        for entity, table in page_entities.select(columns).iter_rows():
            if entity:
                fed[entity] += received[f"{options.provider}__{table}"]
    shown = received.get(f"{options.provider}__pending_payments", 0)
    check_rows(shown, went["shown"], what="pending payments", where=where)
    for entity, came in fed.items():
        check_rows(came, went[entity], what=entity, where=where)


def _rows(con: duckdb.DuckDBPyConnection, received: Mapping[str, int]) -> pl.DataFrame:
    """Return page_no, position and row_hash of all top-level rows of their pages; null where the page was read whole."""
    full = [name for name, height in received.items() if height]
    tops = [name for name in full if "row_hash" in con.table(f"temp.{name}").columns]
    if not tops:
        return pl.DataFrame(schema={"page_no": pl.Int64(), "position": pl.Int64(), "row_hash": pl.String()})
    rows: pl.DataFrame = con.sql(
        " UNION ALL ".join(f"SELECT page_no, position, row_hash FROM temp.{name}" for name in tops)
    ).pl()
    return rows
