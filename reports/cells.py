"""Cells of a CSV file as the text that goes between the commas.

Text is quoted and kept from being read as a formula; numbers, dates and booleans
stand bare, an empty cell is unknown. What Parquet holds is in `decimals.py`.
"""

import polars as pl

from reports.decimals import is_of, places_in, with_places
from schemas.reports import Kind, Report

FORMULA = r"^\s*[=+\-@\t\r\n]"
"""Beginnings of texts that a spreadsheet may run as formulas, spaces before them included."""

_PPM_PLACES = 6
_NEVER_A_FORMULA = frozenset({"provider", "currency", "state", "side", "kind", "severity", "basis", "fingerprint"})
"""Columns of closed vocabularies; they are not searched."""


def cells(report: Report, frame: pl.DataFrame, *, only: slice = slice(None)) -> pl.DataFrame:
    """Return an arranged frame, or `only` some of its columns, for a CSV writer that neither quotes nor formats.

    Money has its currency's places. One currency stays a decimal column, several with
    different places become text, because a column has one scale.
    """
    by_places = places_in(report, frame)
    shown = report.columns[only]
    needs = _needs(frame, [column.name for column in shown if column.kind is Kind.TEXT])
    columns = []
    for column in shown:
        if column.kind is Kind.TEXT:
            columns.append(_quoted(column.name, needs))
        elif column.kind is Kind.MONEY:
            columns.append(_money(column.name, by_places))
        elif column.kind is Kind.RATIO:
            columns.append(with_places(pl.col(column.name), _PPM_PLACES))
        elif column.kind is Kind.INSTANT:
            columns.append(pl.col(column.name).dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
        else:
            columns.append(pl.col(column.name).cast(column.kind.value))
    return frame.select(columns)


def lines(report: Report, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `cells`, with what all rows of a block share joined into one column, commas included.

    A plan with twelve terms has its ids quoted once instead of twelve times, and the
    writer moves one text instead of several cells.
    """
    if report.blocks is None or frame.is_empty():
        return cells(report, frame)
    width = 1 + max(report.names.index(name) for name in report.key[:-1])
    leading = list(report.names[:width])
    # A block begins where one of the shared columns differs from the row before.
    differs = pl.any_horizontal(pl.col(leading).ne_missing(pl.col(leading).shift(1)))
    is_first = frame.select(is_first=differs | (pl.int_range(pl.len()) == 0))["is_first"]
    firsts = cells(report, frame.filter(is_first), only=slice(width))
    joined = firsts.select(pl.concat_str(leading, separator=",", ignore_nulls=False)).to_series()
    # The number of each row's block, by which its shared text is looked up.
    block = is_first.cast(pl.UInt32).cum_sum() - 1
    return cells(report, frame, only=slice(width, None)).insert_column(0, joined.gather(block))


def _needs(frame: pl.DataFrame, texts: list[str]) -> dict[str, bool]:
    """Return of each text column whether a cell of it may be a formula, or holds a quote; all looked at in one pass."""
    formulas = [pl.col(name).str.contains(FORMULA).any().alias(f"{name} =") for name in {*texts} - _NEVER_A_FORMULA]
    quotes = [pl.col(name).str.contains('"', literal=True).any().alias(f'{name} "') for name in texts]
    return frame.select(*formulas, *quotes).to_dicts()[0] if texts else {}


def _quoted(name: str, needs: dict[str, bool]) -> pl.Expr:
    """Return a column quoted; the slow replacements run only if a cell of it needs them."""
    shown = pl.col(name)
    if needs.get(f"{name} ="):
        shown = pl.when(shown.str.contains(FORMULA)).then(pl.concat_str(pl.lit("'"), shown)).otherwise(shown)
    if needs[f'{name} "']:
        shown = shown.str.replace_all('"', '""', literal=True)
    return pl.concat_str(pl.lit('"'), shown, pl.lit('"')).alias(name)


def _money(name: str, by_places: dict[int, list[str]]) -> pl.Expr:
    amount = pl.col(name)
    if len(by_places) <= 1:
        return with_places(amount, next(iter(by_places), 2))
    shown: pl.Expr = pl.lit(None, pl.String)
    for places, codes in sorted(by_places.items()):
        text = with_places(amount, places).cast(pl.String)
        shown = pl.when(is_of(codes)).then(text).otherwise(shown)
    return shown.alias(name)
