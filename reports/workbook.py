"""The reports as one Excel workbook, for people who filter and sort by hand.

A sheet holds the first rows of its report and says so when there are more: the
whole is in CSV and Parquet. Text is written as text, so nothing in it runs.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from reports.layout import Kind, Report
from reports.sheets import ReadySheet, rows_of, styles_of
from reports.summary import Summary

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
