"""Cells of a CSV file as the text that goes between the commas.

Text is quoted and kept from being read as a formula; numbers, dates and booleans
stand bare, an empty cell is unknown. What Parquet holds is in `decimals.py`.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from reports.decimals import is_of, places_in, with_places
from schemas.reports import Column, Kind, Report

FORMULA = r"^\s*[=+\-@\t\r\n]"
"""Beginnings of texts that a spreadsheet may run as formulas, spaces before them included."""

_PPM_PLACES = 6
_MANY = 5_000
"""Rows from which on it is worth looking for cells that are alike."""
_LOOKED_AT = 1_000
"""First rows, by which columns are judged."""
_SHORT_RUN = 4
"""Rows that must be alike on average for a text to be made once for all of them."""
_NEVER_A_FORMULA = frozenset({"provider", "currency", "state", "side", "kind", "severity", "basis", "fingerprint"})
"""Columns of closed vocabularies; they are not searched."""
_ODD = r'["=+\-@\t\r\n]'
"""What a text has somewhere that holds a quote or may be a formula."""
_EPOCH = date(1970, 1, 1)


def cells(report: Report, frame: pl.DataFrame, *, only: Sequence[Column] | None = None) -> pl.DataFrame:
    """Return an arranged frame, or `only` some of its columns, for a CSV writer that neither quotes nor formats.

    Money has its currency's places. One currency stays a decimal column, several with
    different places become text, because a column has one scale.
    """
    by_places = places_in(report, frame)
    shown = report.columns if only is None else only
    needs = _needs(frame, [column.name for column in shown if column.kind is Kind.TEXT])
    columns: list[pl.Expr | pl.Series] = []
    for column in shown:
        if column.kind is Kind.TEXT:
            columns.append(_quoted(column.name, needs))
        elif column.kind is Kind.MONEY:
            columns.append(_money(column.name, by_places))
        elif column.kind is Kind.RATIO:
            columns.append(with_places(pl.col(column.name), _PPM_PLACES))
        elif column.kind is Kind.INSTANT:
            columns.append(pl.col(column.name).dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
        elif column.kind is Kind.DATE:
            columns.append(_dates(frame[column.name]))
        else:
            columns.append(pl.col(column.name).cast(column.kind.value))
    return frame.select(columns)


def lines(report: Report, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `cells`, with columns that stand beside each other and seldom change from row to row joined into one.

    Their text, commas included, is made once for the rows that have it in common, and the writer moves one text instead
    of several cells:

        plan_id  term_no  currency  state          "P1"  1  "EUR","paid"
        P1       1        EUR       paid      ->   "P1"  2  "EUR","paid"
        P1       2        EUR       paid           "P2"  1  "EUR","due"
        P2       1        EUR       due
    """
    if frame.height < _MANY:
        return cells(report, frame)
    groups = _seldom_changing(report, frame)
    apart = set(report.columns).difference(*groups)
    made = {cell.name: cell for cell in cells(report, frame, only=[c for c in report.columns if c in apart])}
    made |= {group[0].name: _joined(report, frame, group) for group in groups}
    return pl.DataFrame([made[name] for name in report.names if name in made])


def _seldom_changing(report: Report, frame: pl.DataFrame) -> list[list[Column]]:
    """Return the columns beside each other that stay as they are in most rows, by the first ones; a text also alone."""
    first = frame.head(_LOOKED_AT)
    changes = first.select(pl.col(name).ne_missing(pl.col(name).shift()) for name in report.names)
    groups: list[list[Column]] = []
    seldom, changing = first.height // _SHORT_RUN, pl.Series(dtype=pl.Boolean)
    for column in report.columns:
        own = changes[column.name]
        if groups and (both := changing | own).sum() <= seldom:
            groups[-1].append(column)
            changing = both
        else:
            groups.append([column])
            changing = own
    alone = {c.name for c in report.columns if c.kind is Kind.TEXT and changes[c.name].sum() <= seldom}
    return [group for group in groups if len(group) > 1 or group[0].name in alone]


def _joined(report: Report, frame: pl.DataFrame, columns: Sequence[Column]) -> pl.Series:
    """Return the cells of some columns as one text a row, made in the first row of each run of rows that are alike."""
    compared = {column.name for column in columns}
    if any(column.kind is Kind.MONEY for column in columns) and "currency" in frame.columns:
        compared.add("currency")  # the same amount has other places in another one
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in compared)
    is_first = frame.select(is_first=differs | (pl.int_range(pl.len()) == 0))["is_first"]
    firsts = cells(report, frame.select(compared).filter(is_first), only=columns)
    texts = firsts.select(pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator=",")).to_series()
    # The number of each row's run, by which its text is looked up.
    return texts.gather(is_first.cast(pl.UInt32).cum_sum() - 1)


def _dates(column: pl.Series) -> pl.Series:
    """Return dates as they are written; where they are many, each is written once."""
    least, most = column.min(), column.max()
    if not (isinstance(least, date) and isinstance(most, date) and (most - least).days < len(column) // _SHORT_RUN):
        return column.cast(pl.Date)
    days = pl.date_range(least, most, eager=True).cast(pl.String)
    return days.gather(column.to_physical() - (least - _EPOCH).days).alias(column.name)


def _needs(frame: pl.DataFrame, texts: Sequence[str]) -> dict[str, bool]:
    """Return of each text column whether a cell of it may be a formula, or holds a quote; most have no sign of either."""
    if not texts:
        return {}
    are_odd = frame.select(pl.col(texts).str.join("").str.contains(_ODD)).row(0)
    odd = [name for name, is_odd in zip(texts, are_odd, strict=True) if is_odd]
    formulas = [pl.col(name).str.contains(FORMULA).any().alias(f"{name} =") for name in {*odd} - _NEVER_A_FORMULA]
    quotes = [pl.col(name).str.contains('"', literal=True).any().alias(f'{name} "') for name in odd]
    return frame.select(*formulas, *quotes).to_dicts()[0] if odd else {}


def _quoted(name: str, needs: dict[str, bool]) -> pl.Expr:
    """Return a column quoted; the slow replacements run only if a cell of it needs them."""
    shown = pl.col(name)
    if needs.get(f"{name} ="):
        shown = pl.when(shown.str.contains(FORMULA)).then(pl.concat_str(pl.lit("'"), shown)).otherwise(shown)
    if needs.get(f'{name} "'):
        shown = shown.str.replace_all('"', '""', literal=True)
    return pl.format('"{}"', shown).alias(name)


def _money(name: str, by_places: dict[int, list[str]]) -> pl.Expr:
    amount = pl.col(name)
    if len(by_places) <= 1:
        return with_places(amount, next(iter(by_places), 2))
    shown: pl.Expr = pl.lit(None, pl.String)
    for places, codes in sorted(by_places.items()):
        text = with_places(amount, places).cast(pl.String)
        shown = pl.when(is_of(codes)).then(text).otherwise(shown)
    return shown.alias(name)
