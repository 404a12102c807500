"""Print a frame as the answer of a command: table, CSV or JSON, harmless in a terminal and in a spreadsheet."""

import json
import math
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import polars as pl

from flows.commands import window
from flows.errors import UsageError
from reports.cells import FORMULA
from reports.decimals import MOST_PLACES
from reports.links import link_of
from reports.terminal.layout import Table
from reports.texts import exact, harmless
from schemas.currencies import EXPONENTS, in_minor, written

_FORMULA = re.compile(FORMULA)
_PLAN = ("provider", "tenant_id", "plan_id")


def write(
    frame: pl.DataFrame,
    style: str,
    *,
    first: tuple[str, ...] = (),
    sentence: str = "explanation",
    raw: bool = False,
    plan_links: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Print a frame to standard output as a table, as CSV or as a JSON list of objects.

    A table is fitted to the window of a terminal, where the columns named `first` are given room before the others and
    the text of column `sentence` may stand below its row; in a pipe or file every line is whole. What hides, turns or
    breaks a line is shown as its code point, and a cell of a CSV that a spreadsheet might run begins with an apostrophe;
    `raw` leaves all as it is. In a terminal, ids of plans are links where `plan_links` has a pattern for their provider. JSON says the same characters by their escapes, so it is exact either way, and null for
    numbers it has no word for.

    Raises:
        UsageError: a layout is asked for that only tables have.
    """
    if style != "table" and (asked := window.asked()):
        raise UsageError(f"{asked} is for tables, not for --format {style}; leave one of them out")
    if style == "json":
        sys.stdout.write(
            exact(json.dumps(_sayable(frame.to_dicts()), default=_text, ensure_ascii=False, indent=1)) + "\n"
        )
    elif style == "csv":
        sys.stdout.write((frame if raw else _shown(frame)).write_csv())
    elif frame.height == 0:
        sys.stdout.write("nothing found\n")
    else:
        sys.stdout.write(window.laid_out(_table(frame, first, sentence, plan_links, raw=raw)))


def _table(
    frame: pl.DataFrame, first: tuple[str, ...], sentence: str, plan_links: Mapping[str, str], *, raw: bool
) -> Table:
    """Return the texts of a frame: money with the places of the currency beside it, empty for unknown."""
    told = str if raw else harmless
    kinds = list(frame.schema.values())
    currencies = frame["currency"].to_list() if frame.schema.get("currency") == pl.String else [None] * frame.height
    money = {place for place, kind in enumerate(kinds) if isinstance(kind, pl.Decimal) and kind.scale == MOST_PLACES}
    rows = [
        tuple(told(_cell(value, currency if place in money else None)) for place, value in enumerate(row))
        for row, currency in zip(frame.iter_rows(), currencies, strict=True)
    ]
    right = frozenset(place for place, kind in enumerate(kinds) if kind.is_numeric())
    links = _links(frame, plan_links)
    return Table(tuple(map(told, frame.columns)), rows, right=right, first=first, sentence=sentence, links=links)


def _links(frame: pl.DataFrame, plan_links: Mapping[str, str]) -> list[str]:
    """Return the address of the plan of each row, empty for none; no list where rows do not say whose plan they are of."""
    if not plan_links or any(frame.schema.get(name) != pl.String for name in _PLAN):
        return []
    return [link_of(plan_links, row) or "" for row in frame.select(_PLAN).iter_rows(named=True)]


def _cell(value: object, currency: str | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        minor = in_minor(value, currency) if currency in EXPONENTS else None
        return f"{value:f}" if minor is None else written(minor, currency)
    if isinstance(value, datetime):
        return value.isoformat(" ").replace("+00:00", "Z")
    if isinstance(value, list | dict):
        return json.dumps(_sayable(value), default=_text, ensure_ascii=False)
    return str(value)


def _shown(frame: pl.DataFrame) -> pl.DataFrame:
    """Return texts and names of columns as a spreadsheet may see them; numbers, dates and truth values stay."""

    def told(text: str) -> str:
        return f"'{harmless(text)}" if _FORMULA.match(text) else harmless(text)

    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    columns = [
        pl.Series(name, [None if text is None else told(text) for text in frame[name]], pl.String) for name in texts
    ]
    return frame.with_columns(columns).rename({name: told(name) for name in frame.columns})


def _text(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _sayable(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _sayable(item) for name, item in value.items()}
    return [_sayable(item) for item in value] if isinstance(value, list) else value
