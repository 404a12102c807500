"""The command `quarantine`: the rows that stayed out, why, since when, and where their bytes lie.

A row is one thing a provider sent and may be refused for several reasons; each is an entry. Values are in the landing
alone: nothing here repeats one.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.commands.answers import write
from flows.commands.ask import known_word, ledger_database
from flows.configuration import load
from flows.errors import UsageError
from flows.settings import Settings
from flows.steps.pipeline import begun, require_warehouse
from flows.steps.request import Request
from flows.steps.settle import refresh_ledger
from flows.steps.waiting import replay_refused
from providers import PROVIDERS
from reports.texts import counted
from sql.readonly import read_query
from sql.storage.landing import Landing

ENTRIES = """
SELECT
    row_id, provider, tenant_id, entity, code, column_name, any_value(row_key) AS row_key,
    arg_max(reason, q.load_no) AS reason, min(q.first_seen) AS first_seen, max(q.last_seen) AS last_seen,
    count(DISTINCT q.load_no) AS times, max(q.load_no) AS load_no, arg_max(snapshot_id, q.load_no) AS snapshot_id,
    arg_max(page_sha256, q.load_no) AS page_sha256, arg_max(page_no, q.load_no) AS page_no,
    arg_max("position", q.load_no) AS "position", arg_max(q."rows", q.load_no) AS "rows",
    arg_max(schema_version, q.load_no) AS schema_version
FROM v_quarantine AS q LEFT JOIN (SELECT DISTINCT load_no, snapshot_id FROM v_fetches) AS f ON f.load_no = q.load_no
WHERE replay_load_no IS NULL
GROUP BY row_id, provider, tenant_id, entity, code, column_name
ORDER BY provider, tenant_id, entity, row_key, row_id, code, column_name
"""
SHOWN = (
    "row_id",
    "provider",
    "tenant_id",
    "entity",
    "row_key",
    "code",
    "column_name",
    "first_seen",
    "last_seen",
    "times",
)
FIRST = ("row_id", "provider", "entity", "code", "column_name", "last_seen")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries to list; an empty word asks for all."""

    provider: str = ""
    entity: str = ""
    code: str = ""


def list_rows(config: Path | None, selection: Selection, *, style: str, raw: bool = False) -> int:
    """Print the entries that are wanted, one line per reason, and return 0.

    Raises:
        UsageError: a word is none of its list; the nearest is named.
    """
    found = _entries(load(config))
    for column, word in (("provider", selection.provider), ("entity", selection.entity), ("code", selection.code)):
        if word:
            there = {*found[column].to_list(), *(PROVIDERS if column == "provider" else ())}
            wanted = word.upper() if column == "code" else word.lower()
            found = found.filter(pl.col(column) == known_word(f"--{column}", wanted, there))
    write(found.select(SHOWN) if style == "table" else found, style, first=FIRST, raw=raw)
    return 0


def show_row(config: Path | None, beginning: str, *, style: str, raw: bool = False) -> int:
    """Print every entry of one row, with the place of its bytes, and return 0.

    Raises:
        UsageError: no row, or more than one, has an id that begins so.
    """
    settings = load(config)
    found = _entries(settings)
    ids = sorted({one for one in found["row_id"] if beginning and one.startswith(beginning.casefold())})
    if len(ids) != 1:
        which = f"{len(ids)} rows begin with it: {', '.join(ids[:5])}" if ids else "there is none"
        raise UsageError(f"row {beginning[:64]!r}: {which}; `planrecon quarantine list` shows the ids")
    rows = found.filter(pl.col("row_id") == ids[0])
    place = _place(settings, rows["snapshot_id"][0], rows["page_sha256"][0])
    rows = rows.with_columns(bytes_in=pl.lit(place))
    if style != "table":
        write(rows, style, raw=raw)
        return 0
    write(_long(rows), style, raw=raw)
    return 0


def replay_rows(config: Path | None) -> int:
    """Judge every refused row anew, from its bytes as landed; say what came in, and return 0."""
    settings = load(config)
    require_warehouse(settings)
    with begun(Request(settings)) as (this, warehouse, _):
        came, left = replay_refused(this, warehouse)
        if came:
            refresh_ledger(warehouse, this.reports_dir)
    print(f"{counted(came, 'row')} came in, {left:,} {'stays' if left == 1 else 'stay'} out")
    return 0


def _long(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one line per fact: those of the row once, then those of each reason."""
    own = ("code", "column_name", "reason", "rows", "times", "first_seen", "last_seen")
    first = rows.row(0, named=True)
    facts = [(name, value) for name, value in first.items() if name not in own]
    for each in rows.iter_rows(named=True):
        facts += [(name, each[name]) for name in own]
    texts = [(name, "" if value is None else str(value)) for name, value in facts]
    return pl.DataFrame(texts, schema={"what": pl.String(), "is": pl.String()}, orient="row")


def _entries(settings: Settings) -> pl.DataFrame:
    return read_query(ledger_database(settings), ENTRIES)


def _place(settings: Settings, snapshot_id: str | None, page_sha256: str | None) -> str:
    """Return where the page with the row lies: file, first byte, number of bytes; or that it is gone."""
    landing = Landing(settings.warehouse.state_dir / "landing")
    if snapshot_id is None or not landing.holds(snapshot_id):
        return "gone from the landing; restore it from a backup"
    folder = landing.find(snapshot_id).folder
    for _, one in landing.listed(snapshot_id):
        if one.page.sha256 == page_sha256:
            pack = folder.parent / one.place.snapshot / one.place.pack
            return f"{pack}, {one.page.length} bytes from byte {one.page.offset}"
    return f"{folder}, no page of it has that hash"
