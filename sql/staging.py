"""Give every provider's received rows one shape: the canonical staged frames.

Rename, cast and find repeats in SQL (`stg/`), union the providers (`core/`).
What is right or wrong about a row is decided in `transforms.intake`; nothing is
written to the warehouse here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import repeat
from typing import Any

import duckdb
import polars as pl

from schemas.currencies import EXPONENTS
from schemas.intake import UNKNOWN_WORDS
from schemas.received import RECEIVED, TOP_LEVEL
from sql.conservation import check_rows
from sql.scripts import seed, statements

_STAGES = (
    "stg_payt__plans",
    "stg_payt__terms",
    "stg_payt__payments",
    "stg_payt__psp_transactions",
    "stg_payt__invoices",
    "stg_payt__credit_cases",
    "stg_payt__debtors",
    "stg_payt__deletions",
    "stg_totality__plans",
    "stg_totality__terms",
    "stg_totality__payments",
    "stg_totality__loans",
    "stg_payiq__plans",
    "stg_payiq__terms",
    "stg_payiq__accounts",
    "stg_payiq__policies",
    "stg_payiq__tiers",
    "stg_payiq__payment_owners",
    "stg_payiq__payments",
    "stg_payiq__payment_parts",
    "stg_payiq__plan_accounts",
)
"""Files of `stg/` in the order they build on each other."""

_UNIONS = (
    "plans",
    "terms",
    "payments",
    "payment_parts",
    "accounts",
    "policies",
    "tiers",
    "plan_accounts",
    "deletions",
    "customers",
)
"""Files of `core/` that bring the providers together, named core__<frame>.sql."""

_ONE_TO_ONE = {
    "plans": ("payt__payment_plans", "totality__payment_plans", "payiq__plans"),
    "terms": ("payt__payment_terms", "totality__scheduled_payments", "payiq__plan_payments"),
    "accounts": ("payt__invoices", "payt__credit_cases", "totality__loans", "payiq__setup_accounts"),
    "customers": ("payt__debtors",),
}
"""Frames that hold exactly one row per row received."""


FRAME_ROWS = 50_000
"""Rows that wait as Python values before they become a frame."""


@dataclass(frozen=True, slots=True)
class StageOptions:
    """What the rows of one tenant do not say themselves.

    `timezone` makes civil dates of timestamps. `currency` is the tenant's, null
    where rows carry a symbol, which `currency_symbols` turns into an ISO code.
    For Payt the administration's own row, if received, wins over both, as far as its words are a zone and a currency.
    """

    provider: str
    tenant_id: str
    timezone: str
    fetched_on: date
    currency: str | None = None
    currency_symbols: Mapping[str, str] = field(default_factory=dict)


def received(pages: Iterable[tuple[int, Mapping[str, Mapping[str, Sequence[Any]]]]]) -> dict[str, pl.DataFrame]:
    """Return one typed frame per received table from (page_no, decoded tables) of a tenant's pages.

    Tables that no page brought are there, empty.

    Raises:
        KeyError: a decoded table is none of `RECEIVED`.
    """
    gathered = {name: _Gathered(dtypes) for name, dtypes in RECEIVED.items()}
    for page_no, tables in pages:
        for name, columns in tables.items():
            gathered[name].add(page_no, columns)
    return {name: table.frame() for name, table in gathered.items()}


class _Gathered:
    """The rows of one received table; a frame is made of many pages at once, because a small one costs as much."""

    def __init__(self, dtypes: Mapping[str, pl.DataType]) -> None:
        self._dtypes = dict(dtypes)
        self._frames = [pl.DataFrame(schema=self._dtypes)]
        self._page_no: list[int] = []
        self._waiting: dict[str, list[Any]] = {name: [] for name in dtypes if name != "page_no"}

    def add(self, page_no: int, columns: Mapping[str, Sequence[Any]]) -> None:
        """Take the rows of one page; every column of the table but `page_no`."""
        for name, waiting in self._waiting.items():
            waiting.extend(columns[name])
        self._page_no.extend(repeat(page_no, len(columns["position"])))
        if len(self._page_no) >= FRAME_ROWS:
            self._make()

    def frame(self) -> pl.DataFrame:
        """Return all rows in the order they came."""
        self._make()
        return pl.concat(self._frames)

    def _make(self) -> None:
        if self._page_no:
            self._frames.append(pl.DataFrame({**self._waiting, "page_no": self._page_no}, schema=self._dtypes))
            for waiting in (self._page_no, *self._waiting.values()):
                waiting.clear()


def stage(
    con: duckdb.DuckDBPyConnection, received: Mapping[str, pl.DataFrame], options: StageOptions
) -> dict[str, pl.DataFrame]:
    """Return the staged frames of one tenant: those of `_UNIONS`, `rows` and `page_entities`.

    Natural keys and ids as text, money as the provider wrote it (`amount` decimal
    text or `amount_units` integer), dates civil and null where they cannot be
    read, then named in `unreadable`; repeats within the fetch marked by
    `is_repeat` (newest by updated time, page, position wins). `rows` lists page_no,
    position and hash of every top-level row, `page_entities` which entity a page
    feeds, `tenant_words` what the tenant's own row says and no list of words knows.
    Missing tables count as empty; temporary views only, none is left.

    Raises:
        ConservationError: a received row is not in the frames.
    """
    options, tenant_words = _of_administration(con, options, received.get("payt__administrations"))
    frames = {name: received.get(name, pl.DataFrame(schema=dict(RECEIVED[name]))) for name in RECEIVED}
    symbols = {"symbol": list(options.currency_symbols), "currency": list(options.currency_symbols.values())}
    frames["currency_symbols"] = pl.DataFrame(symbols, schema={"symbol": pl.String, "currency": pl.String})
    frames["status_classes"] = seed("status_classes")
    frames["rule_words"] = seed("rule_words")
    for name, frame in frames.items():
        con.register(name, frame)
    try:
        staged = _build(con, options)
    finally:
        for name in _STAGES:
            con.execute(f"DROP VIEW IF EXISTS temp.{name}")
        for name in frames:
            con.unregister(name)
    _check_nothing_lost(frames, staged, where=f"{options.provider}/{options.tenant_id}")
    staged["rows"] = _rows(frames)
    staged["tenant_words"] = tenant_words
    staged["page_entities"] = seed("page_entities").filter(pl.col("provider") == options.provider)
    return staged


def _of_administration(
    con: duckdb.DuckDBPyConnection, options: StageOptions, administrations: pl.DataFrame | None
) -> tuple[StageOptions, pl.DataFrame]:
    """Return the options as the administration's own row has them, and what of it is no zone and no currency.

    Such a word changes nothing: the options stay as they were configured.
    """
    said = pl.DataFrame(schema=dict(UNKNOWN_WORDS))
    if administrations is None:
        return options, said
    own = administrations.filter(pl.col("id") == options.tenant_id).tail(1)
    if own.is_empty():
        return options, said
    row = own.row(0, named=True)
    zone, currency = ((row[name] or "").strip() for name in ("timezone", "currency_code"))
    unknown = []
    if zone and not _is_zone(con, zone):
        unknown.append(("administrations", "timezone", zone, 1))
        zone = ""
    if currency and currency.upper() not in EXPONENTS:
        unknown.append(("administrations", "currency_code", currency, 1))
        # Without a configured currency the tenant's rows stay out under the one it names.
        currency = "" if options.currency else currency
    told = replace(options, currency=currency.upper() or options.currency, timezone=zone or options.timezone)
    return told, pl.DataFrame(unknown, schema=dict(UNKNOWN_WORDS), orient="row")


def _is_zone(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Tell whether the database that will make civil dates knows the zone."""
    known = con.sql("SELECT 1 FROM pg_timezone_names() WHERE lower(name) = lower($name)", params={"name": name})
    return bool(known.fetchall())


def _build(con: duckdb.DuckDBPyConnection, options: StageOptions) -> dict[str, pl.DataFrame]:
    for name in ("timezone", "currency", "fetched_on"):
        con.execute(f"SET VARIABLE {name} = $value", {"value": getattr(options, name)})
    con.execute(statements("stg/macros.sql"))
    for name in _STAGES:
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {statements(f'stg/{name}.sql')}")
    return {name: con.sql(statements(f"core/core__{name}.sql")).pl() for name in _UNIONS}


def _check_nothing_lost(frames: Mapping[str, pl.DataFrame], staged: Mapping[str, pl.DataFrame], *, where: str) -> None:
    for name, tables in _ONE_TO_ONE.items():
        check_rows(sum(frames[table].height for table in tables), staged[name].height, what=name, where=where)
    places = pl.concat(
        frames[table].select("page_no", "position")
        for table in ("payt__payments", "payt__psp_transactions", "totality__payments", "payiq__payments")
    )
    shown = frames["payiq__pending_payments"].height
    found = (
        staged["payments"].filter(pl.col("is_listed").fill_null(value=True)).select("page_no", "position").n_unique()
    )
    check_rows(places.height, found, what="payments", where=where)
    listed = staged["payments"].filter(pl.col("is_listed").fill_null(value=True)).height
    check_rows(shown, staged["payments"].height - listed, what="pending payments", where=where)


def _rows(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    tops = [frames[name].select("page_no", "position", "row_hash") for name in TOP_LEVEL]
    return pl.concat(tops).sort("page_no", "position")
