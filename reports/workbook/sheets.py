"""One sheet of rows: which columns of a report it shows, how wide they are, and how it is read, filtered and printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import polars as pl

from reports.files.shape import empty
from reports.heads import head
from reports.links import link_of
from reports.workbook.rows import MOST_LINKS, rows_of, styles_of
from schemas.columns import COLUMNS
from schemas.reports import Column, Kind, Report

SLICE = 20_000
"""Rows that are text in memory at one time."""

_NARROWEST, _WIDEST, _SENTENCE = 7, 48, 110
"""Characters of a column's width; a sentence is not cut as early."""
_LENGTHS = {Kind.DATE: 10, Kind.INSTANT: 19}
_PAGE_WIDTH = 190
"""Characters that can be read beside each other on a printed page."""
_DAYS = ("days_past_due", "days_late")
_SHADES = ((90, "late90"), (60, "late60"), (30, "late30"), (0, "late0"))
"""Days above which a cell has the shade."""
_ASKED = frozenset({"owner", "accepted_because", "expires_on", "maximum"})
"""Columns that people fill in."""
_LINKED = ("provider", "tenant_id", "plan_id")

Formats = Mapping[str, Any]
Drawn = Any
"""A sheet of the library, which is not typed."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: rows of a report, arranged, and what is said of them.

    `total` is the number of rows there are, `rows` those that are shown. The first `frozen` columns stay in sight. `sums`
    has the amounts of all rows, in minor units by currency and column, of columns whose sum means something. `rest` says
    where rows are that are not shown; `is_list` is true for a list of the day's work.
    """

    name: str
    grain: str
    report: Report
    columns: Sequence[Column]
    rows: pl.DataFrame
    total: int
    frozen: int
    sums: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    rest: str = ""
    is_list: bool = False

    def place_of(self, name: str) -> int:
        """Return the place of a column, from 0."""
        return [column.name for column in self.columns].index(name)

    @property
    def extent(self) -> str:
        """Say how many rows there are and, where some are not shown, where they are."""
        if self.rows.height < self.total:
            return f"the first {self.rows.height:,} of {self.total:,} rows; all are in {self.rest}"
        return f"{self.total:,} {'row' if self.total == 1 else 'rows'}"


def meaning(sheet: Sheet, column: Column) -> Any:
    """Return what `schemas.columns` says of a column."""
    return COLUMNS[sheet.report.told_as.get(column.name, column.source)]


def fill(drawn: Drawn, sheet: Sheet, formats: Formats, *, patterns: Mapping[str, str], title: str) -> None:
    """Write heads with their notes, rows, sums, and what remains to say; lay the sheet out for screen and paper."""
    _lay_out(drawn, sheet, formats, title)
    for place, column in enumerate(sheet.columns):
        drawn.write_string(0, place, head(column.name), formats[_head_format(column)])
        said = meaning(sheet, column).comment()
        text = f"{said[0].upper()}{said[1:]}.\n\nIn files: {column.name}"
        drawn.write_comment(0, place, text, {"width": 260, "height": 40 + 18 * (len(text) // 38), "font_size": 9})
    styles = styles_of(formats)
    columns, links = list(sheet.columns), _links(sheet, patterns)
    at = 1
    for part in sheet.rows.iter_slices(SLICE):
        part_links = None if links is None else links.slice(at - 1, part.height)
        for row, link in enumerate(() if part_links is None else part_links, start=at):
            if link is not None:
                drawn.add_link(row, sheet.place_of("plan_id"), link)
        xml = rows_of(sheet.report, part, styles, first=at, columns=columns, links=part_links)
        drawn.add_rows(at, at + part.height - 1, len(columns), xml)
        at += part.height
    _close(drawn, sheet, formats, at)


def _head_format(column: Column) -> str:
    if column.name in _ASKED:
        return "ask"
    return "number" if column.kind in {Kind.MONEY, Kind.COUNT, Kind.RATIO} else "head"


def _close(drawn: Drawn, sheet: Sheet, formats: Formats, at: int) -> None:
    """Write the sums below an empty row, and what is not shown."""
    if sheet.sums and sheet.rows.height:
        totals = _totals(sheet)
        bold = {name.removeprefix("sum_"): made for name, made in formats.items() if name.startswith("sum_")}
        xml = rows_of(sheet.report, totals, styles_of({**formats, **bold}), first=at + 1, columns=list(sheet.columns))
        drawn.add_rows(at + 1, at + totals.height, len(sheet.columns), xml)
        at += totals.height + 1
    if sheet.rows.height < sheet.total or not sheet.total:
        drawn.write_string(at + 1, 0, sheet.extent, formats["note"])


def _totals(sheet: Sheet) -> pl.DataFrame:
    label = next(column.name for column in sheet.columns if column.kind is Kind.TEXT)
    rows = [{label: f"Total {code}", "currency": code, **amounts} for code, amounts in sorted(sheet.sums.items())]
    schema = {
        name: pl.Int128() if any(name in amounts for amounts in sheet.sums.values()) else dtype
        for name, dtype in empty(sheet.report).schema.items()
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _lay_out(drawn: Drawn, sheet: Sheet, formats: Formats, title: str) -> None:
    last = max(sheet.rows.height, 1)
    drawn.set_row(0, 32)
    drawn.freeze_panes(1, sheet.frozen)
    drawn.autofilter(0, 0, last, len(sheet.columns) - 1)
    drawn.ignore_errors({"number_stored_as_text": f"A1:XFD{last + 1}"})
    widths = _widths(sheet)
    for place, (column, width) in enumerate(zip(sheet.columns, widths, strict=True)):
        drawn.set_column(place, place, width, formats["date"] if column.kind is Kind.DATE else None)
        if column.name in _DAYS:
            for days, shade in _SHADES:
                rule = {"type": "cell", "criteria": ">", "value": days, "format": formats[shade], "stop_if_true": True}
                drawn.conditional_format(1, place, last, place, rule)
    _mark_severity(drawn, sheet, formats, last)
    for_paper(drawn, title, 0 if sheet.is_list else sum(widths))
    if sheet.frozen:
        drawn.repeat_columns(0, sheet.frozen - 1)


def _mark_severity(drawn: Drawn, sheet: Sheet, formats: Formats, last: int) -> None:
    if not any(column.name == "severity" for column in sheet.columns):
        return
    place = sheet.place_of("severity")
    for word, shade in (("critical", "late90"), ("high", "late60")):
        rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": formats[shade]}
        drawn.conditional_format(1, place, last, place, rule)


def for_paper(drawn: Drawn, title: str, width: float) -> None:
    """Print a sheet across A4, its first row on each page, as few pages wide as can be read."""
    drawn.set_landscape()
    drawn.set_paper(9)
    drawn.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
    drawn.repeat_rows(0)
    drawn.fit_to_pages(max(1, -(-round(width) // _PAGE_WIDTH)), 0)
    drawn.set_header(f"&L{title}&R&A")
    drawn.set_footer("&R&P / &N")


def _widths(sheet: Sheet) -> list[int]:
    """Return the width of each column in characters, by its head and its longest cell; all are looked at in one pass."""
    texts = [column.name for column in sheet.columns if column.kind is Kind.TEXT]
    money = [column.name for column in sheet.columns if column.kind is Kind.MONEY]
    asked = [pl.col(name).str.len_chars().max() for name in texts]
    for name in money:
        asked += [pl.col(name).min().alias(f"{name} least"), pl.col(name).max().alias(f"{name} most")]
    found = sheet.rows.select(asked).to_dicts()[0] if asked else {}
    longest = {name: found[name] or 0 for name in texts}
    for name in money:
        longest[name] = max(len(f"{found[f'{name} {end}'] or 0:,}.") for end in ("least", "most"))
    return [_width(column, longest.get(column.name, _LENGTHS.get(column.kind, 8))) for column in sheet.columns]


def _width(column: Column, longest: int) -> int:
    words = head(column.name)
    least = max(len(word) for word in [*words.split(), words[: (len(words) + 1) // 2]]) + 3
    return max(_NARROWEST, least, min(longest + 1, _SENTENCE if column.name == "explanation" else _WIDEST))


def _links(sheet: Sheet, patterns: Mapping[str, str]) -> pl.Series | None:
    """Return the address of each row's plan; None where the sheet has no plans or no provider has a pattern."""
    if not patterns or not {*_LINKED} <= {column.name for column in sheet.columns}:
        return None
    plans = sheet.rows.head(MOST_LINKS).select(_LINKED)
    found = [link_of(patterns, row) for row in plans.iter_rows(named=True)]
    return pl.Series(found + [None] * (sheet.rows.height - plans.height), dtype=pl.String)
