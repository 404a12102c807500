"""The reports as one Excel workbook, for people who filter and sort by hand.

A sheet holds the first rows of its report and says so when there are more: the
whole is in CSV and Parquet. Text is written as text, so nothing in it runs. Rows are
written column by column: cell by cell took longer than computing the figures.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from reports.decimals import decimals
from reports.summary import Summary
from schemas.currencies import DEFAULT_PLACES, EXPONENTS
from schemas.reports import Column, Kind, Report

SHEET_ROWS = 10_000
"""Rows up to which a report is whole in its sheet."""
PREVIEW_ROWS = 1_000
"""Most rows shown of a table; more are not read by hand, and each cell costs time."""

_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""Written into every workbook, so that its bytes do not depend on the hour."""
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd",
}
_WIDTHS = {Kind.TEXT: 22, Kind.INSTANT: 20, Kind.MONEY: 15, Kind.COUNT: 9, Kind.FLAG: 9}

Sheet = Any
Formats = Mapping[str, Any]


def write_workbook(path: Path, summary: Summary, heads: Mapping[Report, tuple[pl.DataFrame, int]]) -> None:
    """Write the workbook: a sheet about the run, then one per report.

    `heads` maps each report to its first rows, arranged, and the number of rows it has in all.
    """
    heads = {r: (head if rows <= SHEET_ROWS else head.head(PREVIEW_ROWS), rows) for r, (head, rows) in heads.items()}
    with xlsxwriter.Workbook(path, _OPTIONS) as book:
        book.set_properties({"created": _CREATED, "title": f"Payment plans as of {summary.as_of}"})
        formats = _formats(book)
        _about(book.add_worksheet("run"), summary, heads, formats)
        for report, (head, rows) in heads.items():
            _fill(book.add_worksheet(report.name, ReadySheet), report, head, rows, formats)


def _formats(book: Any) -> Formats:
    money = {places: "#,##0" + ("." + "0" * places if places else "") for places in (0, 2, 3, 4)}
    return {
        "head": book.add_format({"bold": True, "bottom": 1, "valign": "top", "bg_color": "#EEF3F2"}),
        "strong": book.add_format({"bold": True}),
        "note": book.add_format({"italic": True, "font_color": "#5F6870"}),
        "instant": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "ratio": book.add_format({"num_format": "0.000000"}),
        **{f"money{places}": book.add_format({"num_format": code}) for places, code in money.items()},
    }


def _about(sheet: Sheet, summary: Summary, heads: Mapping[Report, tuple[Any, int]], formats: Formats) -> None:
    facts = {
        "state": summary.state,
        "as of": summary.as_of,
        "known at": summary.known_at,
        "run key": summary.run_key,
        "planrecon": summary.code_version,
    }
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, summary.headline, formats["strong"])
    row = 2
    for name, value in [*facts.items(), *(("held", reason) for reason in summary.held_because)]:
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)
        row += 1
    for report, (head, rows) in heads.items():
        row += 1
        sheet.write_string(row, 0, report.name, formats["strong"])
        sheet.write_string(row, 1, f"{report.grain}: {_extent(report, head.height, rows)}")


def _extent(report: Report, shown: int, rows: int) -> str:
    if shown < rows:
        return f"the first {shown:,} of {rows:,} rows; all are in {report.name}.csv and {report.name}.parquet"
    return f"{rows:,} rows"


def _fill(sheet: Sheet, report: Report, head: pl.DataFrame, rows: int, formats: Formats) -> None:
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(head.height, 1), len(report.columns) - 1)
    for place, column in enumerate(report.columns):
        width = _WIDTHS.get(column.kind, 12)
        sheet.set_column(place, place, max(width, len(column.name) + 3))
        sheet.write_string(0, place, column.name, formats["head"])
    if not head.is_empty():
        sheet.add_rows(1, head.height, len(report.columns), rows_of(report, head, styles_of(formats)))
    if head.height < rows:
        sheet.write_string(head.height + 1, 0, _extent(report, head.height, rows), formats["note"])


LONGEST_CELL = 32_767
"""Characters Excel takes in a cell, counted in UTF-16."""
EXACT_DIGITS = 15
"""Digits Excel keeps of a number; a longer amount is written as text."""

_FIRST_DAY = 25_569
"""Excel's number of 1 January 1970."""
_DAY_MICROSECONDS = 86_400 * 10**6
_ROW = "__row"
_UNPRINTABLE = "[\x00-\x08\x0b-\x1f\ufffe\uffff]"
_SPECIAL = re.compile(f"_x[0-9a-fA-F]{{4}}_|{_UNPRINTABLE}")

Styles = Mapping[str, int]


class ReadySheet(Worksheet):  # type: ignore[misc]  # the library is not typed
    """A sheet that takes whole rows as XML behind those written cell by cell. Its workbook has `constant_memory`."""

    def add_rows(self, first: int, last: int, width: int, rows: str) -> None:
        """Write rows `first` to `last`, `width` columns wide, behind those written so far."""
        self._write_single_row(last)  # writes out the waiting rows; the next row then comes behind ours
        self._check_dimensions(first, 0)
        self._check_dimensions(last, width - 1)
        self.row_data_fh.write(rows)


def styles_of(formats: Mapping[str, Any]) -> Styles:
    """Return the number by which cells name each format."""
    return {name: made._get_xf_index() for name, made in formats.items()}  # noqa: SLF001 - cells name it so


def rows_of(report: Report, head: pl.DataFrame, styles: Styles) -> str:
    """Return the rows of an arranged frame as XML, from the sheet's second row on. Null is no cell."""
    if head.is_empty():
        return ""
    shown = decimals(report, head).with_row_index(_ROW, offset=2).with_columns(pl.col(_ROW).cast(pl.String))
    cells = [
        _cell(report, column, xl_col_to_name(place), shown[column.name], styles)
        for place, column in enumerate(report.columns)
        if column.kind is not Kind.TIERS
    ]
    row = pl.concat_str(pl.lit('<row r="'), _ROW, pl.lit('">'), *cells, pl.lit("</row>"), ignore_nulls=True)
    return "".join(shown.select(row).to_series())


def _cell(report: Report, column: Column, letter: str, values: pl.Series, styles: Styles) -> pl.Expr:
    value = pl.col(column.name)
    at = (pl.lit(f'<c r="{letter}'), pl.col(_ROW))
    match column.kind:
        case Kind.TEXT:
            cell = _text(at, pl.lit(_escaped(values)))
        case Kind.MONEY:
            cell = _money(at, value, values, styles, has_currency="currency" in report.names)
        case Kind.FLAG:
            cell = _number(at, value.cast(pl.Int8), ' t="b"')
        case Kind.DATE:
            cell = _number(at, value.cast(pl.Int32) + _FIRST_DAY, f' s="{styles["date"]}"')
        case Kind.INSTANT:
            days = value.dt.epoch("us") / _DAY_MICROSECONDS + _FIRST_DAY
            cell = _number(at, days, f' s="{styles["instant"]}"')
        case Kind.RATIO:
            cell = _number(at, _short(value), f' s="{styles["ratio"]}"')
        case _:
            cell = _number(at, value, "")
    return cell


def _number(at: tuple[pl.Expr, pl.Expr], value: pl.Expr, attributes: str) -> pl.Expr:
    """Return a cell that Excel counts with; null where `value` is."""
    return pl.concat_str(*at, pl.lit(f'"{attributes}><v>'), value.cast(pl.String), pl.lit("</v></c>"))


def _text(at: tuple[pl.Expr, pl.Expr], value: pl.Expr) -> pl.Expr:
    return pl.concat_str(*at, pl.lit('" t="inlineStr"><is>'), value, pl.lit("</is></c>"))


def _money(
    at: tuple[pl.Expr, pl.Expr], value: pl.Expr, values: pl.Series, styles: Styles, *, has_currency: bool
) -> pl.Expr:
    """Return an amount with the places of its row's currency; one with too many digits is text."""
    currency = pl.col("currency") if has_currency else pl.lit(None, pl.String)
    places = currency.replace_strict(EXPONENTS, default=DEFAULT_PLACES, return_dtype=pl.Int64)
    style = places.replace_strict({n: f'" s="{styles[f"money{n}"]}"><v>' for n in (0, 2, 3, 4)})
    number = pl.concat_str(*at, style, _short(value), pl.lit("</v></c>"))
    if values.is_empty() or values.abs().max() is None or values.abs().max() < 10 ** (EXACT_DIGITS - 4):
        return number  # no currency has more places than four
    digits = value.cast(pl.String).str.replace(".", "", literal=True).str.strip_chars_start("-").str.len_bytes()
    is_long = digits - (4 - places) > EXACT_DIGITS
    cut = pl.when(places == 0).then(5).otherwise(4 - places)
    text = value.cast(pl.String)
    whole = pl.concat_str(pl.lit("<t>"), text.str.head(text.str.len_chars() - cut), pl.lit("</t>"))
    return pl.when(is_long).then(_text(at, whole)).otherwise(number)


def _short(value: pl.Expr) -> pl.Expr:
    """Return a decimal without the zeros behind its point."""
    return value.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")


def _escaped(texts: pl.Series) -> pl.Series:
    """Return the text elements of a column; the slow replacements run only if a cell needs them."""
    shown = texts
    if (shown.str.len_bytes() > LONGEST_CELL).any() or shown.str.contains(_SPECIAL.pattern).any():
        shown = shown.map_elements(_careful, return_dtype=pl.String)
    if shown.str.contains("[&<>]").any():
        shown = shown.str.replace_many(["&", "<", ">"], ["&amp;", "&lt;", "&gt;"])
    frame = shown.alias("text").to_frame()
    is_padded = pl.col("text").str.contains(r"^\s|\s$")
    start = pl.when(is_padded).then(pl.lit('<t xml:space="preserve">')).otherwise(pl.lit("<t>"))
    return frame.select(pl.concat_str(start, "text", pl.lit("</t>"))).to_series()


def _careful(text: str) -> str:
    """Return a text cut to what a cell takes, with Excel's escapes for what XML cannot hold."""
    cut = text.encode("utf-16-le")[: 2 * LONGEST_CELL].decode("utf-16-le", "ignore")
    return _SPECIAL.sub(lambda found: f"_x{ord(found[0][0]):04X}_" + found[0][1:], cut)
