"""The workbook: an overview, a sheet for each report, and a sheet that says what every column means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import polars as pl
import xlsxwriter.workbook

from reports.heads import head
from reports.summary import PortfolioLine, Summary
from reports.workbook.lists import MOST_ROWS, list_sheets
from reports.workbook.rows import ReadySheet
from reports.workbook.sheets import Formats, Sheet, fill, for_paper, meaning
from schemas.currencies import EXPONENTS, in_minor, written
from schemas.reports import Kind, Report
from schemas.words import CLOSED, SEVERITY_RANKS

SHEET_ROWS = 10_000
"""Rows up to which another report is whole in its sheet."""
PREVIEW_ROWS = 1_000
"""Most rows shown of a longer one; more are not read by hand, and each cell costs time."""

_WHOLE = frozenset({"breaks"})
"""Reports that people work through in the workbook."""
_SUMMED = {
    "plans": "amount received outstanding amount_due overdue overdue_past_grace due_today not_due unapplied pending",
    "aging": "amount_due overdue outstanding",
    "aging_terms": "outstanding",
}
"""Columns with sums; of others a sum would count money twice, or mean nothing."""
_FIRST = {
    "plans": "plan_id",
    "terms": "plan_id term_no",
    "payments": "payment_id plan_id",
    "breaks": "plan_id severity code reason state explanation expected actual difference currency difference_days "
    "owner accepted_because expires_on maximum",
}
"""Columns that stand first, the others as in the report; the as-of date, the same in all rows, stands last."""
_FROZEN = {"plans": 1, "terms": 2, "payments": 1, "breaks": 1}
"""Columns that stay in sight; else provider and tenant do."""
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""Written into every workbook, so that its bytes do not depend on the hour."""
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd",
}
# The library has no option for it: at its level 6 packing is half of all the work, at 2 a sixth, the file 25 % longer.
xlsxwriter.workbook.ZipFile = partial(ZipFile, compresslevel=2)
_PORTFOLIO = ("due_today", "amount_due", "overdue", "pending", "outstanding")
_PORTFOLIO_COUNTS = ("plans_in_force", "plans_past_due", "missed_terms")


@dataclass(frozen=True, slots=True)
class Written:
    """A report as it was written: its first rows, arranged, the number of all, and their sums by currency and column.

    `picked` has the rows that are shown in sheets of their own, however far behind they come.
    """

    report: Report
    head: pl.DataFrame
    rows: int
    minor: Mapping[str, Mapping[str, int]]
    picked: pl.DataFrame | None = None


def rows_kept(report: Report) -> int:
    """Return how many rows of a report the workbook asks for."""
    return MOST_ROWS if report.name in _WHOLE else SHEET_ROWS


def write_workbook(
    path: Path, summary: Summary, tables: Sequence[Written], *, plan_links: Mapping[str, str] | None = None
) -> None:
    """Write the workbook; `plan_links` has the pattern of the links to plans, by provider."""
    lists = [
        each
        for table in tables
        if table.picked is not None
        for each in list_sheets(table.picked, summary.compared_with)
    ]
    sheets = [*lists, *(_sheet(table) for table in tables)]
    title = f"Payment plans as of {summary.as_of}, {summary.state}"
    with xlsxwriter.Workbook(path, _OPTIONS) as book:
        book.set_properties({"created": _CREATED, "title": f"Payment plans as of {summary.as_of}"})
        formats = _formats(book)
        _overview(book.add_worksheet("Overview"), summary, sheets, formats, title)
        for sheet in sheets:
            drawn = book.add_worksheet(sheet.name, ReadySheet)
            drawn.set_comments_author("planrecon")
            if sheet.is_list:
                drawn.set_tab_color("#2F7F73")
            fill(drawn, sheet, formats, patterns=plan_links or {}, title=title)
        _columns(book.add_worksheet("Columns"), sheets, formats, title)


def _sheet(table: Written) -> Sheet:
    report, is_whole = table.report, table.rows <= rows_kept(table.report)
    kept = table.head if is_whole or report.name in _WHOLE else table.head.head(PREVIEW_ROWS)
    summed = _SUMMED.get(report.name, "").split()
    first = _FIRST.get(report.name, "").split()
    names = [*first, *(name for name in report.names[1:] if name not in first), report.names[0]]
    columns = {column.name: column for column in report.columns}
    return Sheet(
        name=report.name,
        grain=report.grain,
        report=report,
        columns=[columns[name] for name in names],
        rows=_worst_first(kept) if report.name == "breaks" else kept,
        total=table.rows,
        frozen=_FROZEN.get(report.name, 2),
        sums={code: {name: sums[name] for name in summed} for code, sums in table.minor.items()} if summed else {},
        rest=f"{report.name}.csv and {report.name}.parquet",
    )


def _worst_first(breaks: pl.DataFrame) -> pl.DataFrame:
    """Return breaks with the open ones before the others, and each by severity; else they keep their order."""
    rank = pl.col("severity").replace_strict(dict(SEVERITY_RANKS), return_dtype=pl.Int8)
    return breaks.sort(pl.col("state").is_in(CLOSED), rank.neg(), maintain_order=True)


def _formats(book: Any) -> Formats:
    money = {places: "#,##0" + ("." + "0" * places if places else "") for places in (0, 2, 3, 4)}
    top = {"bold": True, "text_wrap": True, "bottom": 1, "valign": "top"}
    shades = {"late0": "#FFF4E0", "late30": "#FFE0B2", "late60": "#FFC27A", "late90": "#F59A6C"}
    return {
        "head": book.add_format({**top, "bg_color": "#E3ECEA"}),
        "number": book.add_format({**top, "bg_color": "#E3ECEA", "align": "right"}),
        "ask": book.add_format({**top, "bg_color": "#FFF3B8"}),
        "strong": book.add_format({"bold": True}),
        "large": book.add_format({"bold": True, "font_size": 14}),
        "note": book.add_format({"italic": True, "font_color": "#5F6870"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        "said": book.add_format({"indent": 1}),
        "link": book.add_format({"font_color": "#0B57A4", "underline": 1}),
        "instant": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
        "ratio": book.add_format({"num_format": "0.000000"}),
        "sum_text": book.add_format({"bold": True, "top": 1}),
        **{f"money{places}": book.add_format({"num_format": code}) for places, code in money.items()},
        **{f"sum_money{p}": book.add_format({"num_format": c, "bold": True, "top": 1}) for p, c in money.items()},
        **{name: book.add_format({"bg_color": colour}) for name, colour in shades.items()},
    }


def _overview(sheet: Any, summary: Summary, sheets: Sequence[Sheet], formats: Formats, title: str) -> None:
    """Write what the run came to: its first line, the portfolio with sums per currency, and what lies in which sheet."""
    for_paper(sheet, title, 0)
    sheet.set_column(0, 1, 18)
    sheet.set_column(2, 2 + len(_PORTFOLIO_COUNTS) + len(_PORTFOLIO), 13)
    sheet.write_string(0, 0, summary.headline, formats["large"])
    row = 1
    for name, value in [
        *(("Held", reason) for reason in summary.held_because),
        ("Known at", _to_the_minute(summary.known_at)),
    ]:
        row += 1
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)
    row = _portfolio(sheet, summary.portfolio, row + 2, formats)
    sheet.write_string(row, 0, "Sheet", formats["head"])
    sheet.write_string(row, 1, "Rows", formats["number"])
    sheet.write_string(row, 2, "What it has", formats["head"])
    for each in sheets:
        row += 1
        sheet.write_url(row, 0, f"internal:'{each.name}'!A1", formats["link"], each.name)
        sheet.write_number(row, 1, each.total)
        sheet.write_string(
            row, 2, each.grain + ("" if each.rows.height == each.total else f": {each.extent}"), formats["said"]
        )
    sheet.write_url(row + 1, 0, "internal:'Columns'!A1", formats["link"], "Columns")
    sheet.write_string(
        row + 1, 2, "What every column of every sheet means, its unit, and what an empty cell says", formats["said"]
    )
    sheet.write_string(row + 3, 0, f"planrecon {summary.code_version}, run key {summary.run_key}", formats["note"])


def _to_the_minute(moment: str) -> str:
    return f"{moment[:16].replace('T', ' ')} UTC"


def _portfolio(sheet: Any, lines: Sequence[PortfolioLine], row: int, formats: Formats) -> int:
    """Write the plans in force by provider and currency, and their sums; return the row behind an empty one."""
    if not lines:
        return row
    names = ("provider", "currency", *_PORTFOLIO_COUNTS, *_PORTFOLIO)
    for place, name in enumerate(names):
        sheet.write_string(row, place, head(name), formats["number" if place > 1 else "head"])
    for line in lines:
        row += 1
        _line(sheet, (row, line.provider, line.currency), {name: getattr(line, name) for name in names[2:]}, formats)
    for currency in sorted({line.currency for line in lines}):
        row += 1
        same = [line for line in lines if line.currency == currency]
        sums: dict[str, Any] = {name: sum(getattr(line, name) for line in same) for name in _PORTFOLIO_COUNTS}
        for name in _PORTFOLIO:
            amounts = (in_minor(Decimal(getattr(line, name)), currency) or 0 for line in same)
            sums[name] = written(sum(amounts), currency)
        _line(sheet, (row, f"Total {currency}", currency), sums, formats, kind="sum_")
    return row + 2


def _line(
    sheet: Any, at: tuple[int, str, str], figures: Mapping[str, Any], formats: Formats, *, kind: str = ""
) -> None:
    row, who, currency = at
    text = formats.get(f"{kind}text")
    sheet.write_string(row, 0, who, text)
    sheet.write_string(row, 1, currency, text)
    money = formats[f"{kind}money{EXPONENTS.get(currency, 2)}"]
    for place, (name, value) in enumerate(figures.items(), start=2):
        is_money = name in _PORTFOLIO
        sheet.write_number(row, place, Decimal(value), money if is_money else text)


def _columns(sheet: Any, sheets: Sequence[Sheet], formats: Formats, title: str) -> None:
    """Write one row for each column of each sheet: what it is called, means, is counted in, and says while empty."""
    heads = {"Sheet": 18, "Column": 26, "Name in files": 26, "Meaning": 60, "Words": 34, "Unit": 18, "Empty means": 34}
    for place, (name, width) in enumerate(heads.items()):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, name, formats["head"])
    row = 0
    lists = [each.name for each in sheets if each.is_list]
    for each in (each for each in sheets if each.name not in lists[1:]):
        where = "each list" if each.is_list else each.name
        for column in each.columns:
            row += 1
            told = meaning(each, column)
            says = told.meaning.replace(" (minor units of `currency`)", "")
            unit = "in `currency`" if column.kind is Kind.MONEY else told.unit
            empty = told.empty or ("not known" if told.nullable else "never empty")
            words = ", ".join(told.values or told.words)
            texts = (where, head(column.name), column.name, says, words, unit, empty)
            lines = (-(-len(text) // (width - 2)) for text, width in zip(texts, heads.values(), strict=True))
            sheet.set_row(row, 15 * max(lines))
            for place, text in enumerate(texts):
                sheet.write_string(row, place, text, formats["wrap"])
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, row, len(heads) - 1)
    for_paper(sheet, title, 0)
