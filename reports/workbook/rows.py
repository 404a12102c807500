"""Rows of an arranged frame as the XML of a sheet, made column by column.

Text is written as text, so nothing in it runs. Cell by cell took longer than computing the figures.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from reports.decimals import decimals
from schemas.currencies import DEFAULT_PLACES, EXPONENTS
from schemas.reports import Column, Kind, Report

LONGEST_CELL = 32_767
"""Characters Excel takes in a cell, counted in UTF-16."""
EXACT_DIGITS = 15
"""Digits Excel keeps of a number; a longer amount is written as text."""
MOST_LINKS = 65_530
"""Links Excel takes in a sheet."""

_FIRST_DAY = 25_569
"""Excel's number of 1 January 1970."""
_DAY_MICROSECONDS = 86_400 * 10**6
_ROW, _PLACES, _STYLE = "__row", "__places", "__style"
"""Columns made beside those of the frame: number of the row, places of its currency, and what its amounts begin with."""
_UNPRINTABLE = "[\x00-\x08\x0b-\x1f\ufffe\uffff]"
_SPECIAL = re.compile(f"_x[0-9a-fA-F]{{4}}_|{_UNPRINTABLE}")

Styles = Mapping[str, int]
Cell = list[str | pl.Expr]
"""Pieces that make a cell one after the other, the same in every row or not; a piece that is null means no cell."""


class ReadySheet(Worksheet):  # type: ignore[misc]  # the library is not typed
    """A sheet that takes whole rows as XML behind those written cell by cell. Its workbook has `constant_memory`."""

    def add_rows(self, first: int, last: int, width: int, rows: str) -> None:
        """Write rows `first` to `last`, `width` columns wide, behind those written so far."""
        self._write_single_row(last)  # writes out the waiting rows; the next row then comes behind ours
        self._check_dimensions(first, 0)
        self._check_dimensions(last, width - 1)
        self.row_data_fh.write(rows)

    def add_link(self, row: int, column: int, address: str) -> None:
        """Let a cell, which `add_rows` writes after this, lead to an address; no more than `MOST_LINKS` in a sheet."""
        self.ignore_write_string = True
        self.write_url(row, column, address)
        self.ignore_write_string = False


def styles_of(formats: Mapping[str, Any]) -> Styles:
    """Return the number by which cells name each format."""
    return {name: made._get_xf_index() for name, made in formats.items()}  # noqa: SLF001 - cells name it so


def rows_of(
    report: Report,
    frame: pl.DataFrame,
    styles: Styles,
    *,
    first: int = 1,
    columns: Sequence[Column] | None = None,
    links: pl.Series | None = None,
) -> str:
    """Return the rows of an arranged frame as XML, from row `first` of the sheet on, counted from 0. Null is no cell.

    `columns` are those shown, in order; all where none are given. Texts take the style `text`, where there is one;
    `plan_id` the style `link` where `links` has an address.
    """
    if frame.is_empty():
        return ""
    shown = decimals(report, frame).with_row_index(_ROW, offset=first + 1).with_columns(pl.col(_ROW).cast(pl.String))
    # A column without any value, as most are in a row of sums, has no cells, and tiers are not shown.
    listed = [
        (place, column)
        for place, column in enumerate(columns or report.columns)
        if shown[column.name].null_count() < shown.height and column.kind is not Kind.TIERS
    ]
    money = [column.name for _, column in listed if column.kind is Kind.MONEY]
    if money:
        shown = _with_places(shown, styles)
    long = _too_long(shown, money)
    needs = _needs(shown, [column.name for _, column in listed if column.kind is Kind.TEXT])
    row: Cell = ['<row r="', pl.col(_ROW), '">']
    for place, column in listed:
        at: Cell = [f'<c r="{xl_col_to_name(place)}', pl.col(_ROW)]
        if column.kind is Kind.TEXT:
            cell = _text(at, _escaped(column.name, needs), _style(column, styles, links))
        elif column.kind is Kind.MONEY:
            cell = _money(at, pl.col(column.name), may_be_long=column.name in long)
        else:
            cell = _cell(column, at, styles)
        # A cell without a value is left out as a whole; where each row has one, its pieces join the row at once.
        row += [_joined(cell)] if shown[column.name].null_count() else cell
    return "".join(shown.select(_joined([*row, "</row>"], ignore_nulls=True)).to_series())


def _joined(pieces: Cell, *, ignore_nulls: bool = False) -> pl.Expr:
    """Return pieces as one text; what stands beside each other in every row alike is joined once for all rows."""
    joined, same = list[pl.Expr](), ""
    for piece in pieces:
        if isinstance(piece, str):
            same += piece
        else:
            joined += [pl.lit(same), piece]
            same = ""
    return pl.concat_str(*joined, pl.lit(same), ignore_nulls=ignore_nulls)


def _cell(column: Column, at: Cell, styles: Styles) -> Cell:
    value = pl.col(column.name)
    match column.kind:
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


def _number(at: Cell, value: pl.Expr, attributes: str) -> Cell:
    """Return a cell that Excel counts with."""
    return [*at, f'"{attributes}><v>', value.cast(pl.String), "</v></c>"]


def _text(at: Cell, value: Cell, style: str | pl.Expr | None = None) -> Cell:
    marked = [] if style is None else ['" s="', style]
    return [*at, *marked, '" t="inlineStr"><is>', *value, "</is></c>"]


def _style(column: Column, styles: Styles, links: pl.Series | None) -> str | pl.Expr | None:
    if links is not None and column.name == "plan_id":
        return pl.when(pl.lit(links.is_not_null())).then(pl.lit(str(styles["link"]))).otherwise(pl.lit("0"))
    return str(styles["text"]) if "text" in styles else None


def _with_places(frame: pl.DataFrame, styles: Styles) -> pl.DataFrame:
    """Return the frame with what all amounts of a row have in common."""
    currency = pl.col("currency") if "currency" in frame.columns else pl.lit(None, pl.String)
    places = currency.replace_strict(EXPONENTS, default=DEFAULT_PLACES, return_dtype=pl.Int64)
    style = pl.col(_PLACES).replace_strict({n: f'" s="{styles[f"money{n}"]}"><v>' for n in (0, 2, 3, 4)})
    return frame.with_columns(places.alias(_PLACES)).with_columns(style.alias(_STYLE))


def _too_long(frame: pl.DataFrame, money: Sequence[str]) -> set[str]:
    """Return the columns of which an amount may have too many digits: no currency has more places than four."""
    most = frame.select(pl.col(money).abs().max()).to_dicts()[0] if money else {}
    return {name for name, amount in most.items() if amount is not None and amount >= 10 ** (EXACT_DIGITS - 4)}


def _money(at: Cell, value: pl.Expr, *, may_be_long: bool) -> Cell:
    """Return an amount with the places of its row's currency; one with too many digits is text."""
    places = pl.col(_PLACES)
    number = [*at, pl.col(_STYLE), _short(value), "</v></c>"]
    if not may_be_long:
        return number
    digits = value.cast(pl.String).str.replace(".", "", literal=True).str.strip_chars_start("-").str.len_bytes()
    is_long = digits - (4 - places) > EXACT_DIGITS
    cut = pl.when(places == 0).then(5).otherwise(4 - places)
    text = value.cast(pl.String)
    whole: Cell = ["<t>", text.str.head(text.str.len_chars() - cut), "</t>"]
    return [pl.when(is_long).then(_joined(_text(at, whole))).otherwise(_joined(number))]


def _short(value: pl.Expr) -> pl.Expr:
    """Return a decimal without the zeros behind its point."""
    return value.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")


def _needs(frame: pl.DataFrame, texts: Sequence[str]) -> dict[str, bool]:
    """Return of each text column which care a cell of it needs; all are looked at in one pass."""
    looks: dict[str, Callable[[pl.Expr], pl.Expr]] = {
        "cut": lambda text: (text.str.len_bytes() > LONGEST_CELL) | text.str.contains(_SPECIAL.pattern),
        "marked": lambda text: text.str.contains("[&<>]"),
        "padded": lambda text: text.str.contains(r"^\s|\s$"),
    }
    asked = [look(pl.col(name)).any().alias(f"{name} {what}") for name in texts for what, look in looks.items()]
    return frame.select(asked).to_dicts()[0] if asked else {}


def _escaped(name: str, needs: Mapping[str, bool]) -> Cell:
    """Return the text elements of a column; the slow replacements run only if a cell needs them."""
    text = pl.col(name)
    if needs[f"{name} cut"]:
        text = text.map_elements(_careful, return_dtype=pl.String)
    if needs[f"{name} marked"]:
        text = text.str.replace_many(["&", "<", ">"], ["&amp;", "&lt;", "&gt;"])
    start: str | pl.Expr = "<t>"
    if needs[f"{name} padded"] or needs[f"{name} cut"]:
        is_padded = text.str.contains(r"^\s|\s$")
        start = pl.when(is_padded).then(pl.lit('<t xml:space="preserve">')).otherwise(pl.lit(start))
    return [start, text, "</t>"]


def _careful(text: str) -> str:
    """Return a text cut to what a cell takes, with Excel's escapes for what XML cannot hold."""
    cut = text.encode("utf-16-le")[: 2 * LONGEST_CELL].decode("utf-16-le", "ignore")
    return _SPECIAL.sub(lambda found: f"_x{ord(found[0][0]):04X}_" + found[0][1:], cut)
