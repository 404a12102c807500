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
_MANY, _SHORT_RUN = 20_000, 4
"""Rows from which on, and repeats at least on average, a text that stands in many rows one after the other is quoted once."""
_NEVER_A_FORMULA = frozenset({"provider", "currency", "state", "side", "kind", "severity", "basis", "fingerprint"})
"""Columns of closed vocabularies; they are not searched."""


def cells(report: Report, frame: pl.DataFrame, *, only: slice = slice(None)) -> pl.DataFrame:
    """Return an arranged frame, or `only` some of its columns, for a CSV writer that neither quotes nor formats.

    Money has its currency's places. One currency stays a decimal column, several with
    different places become text, because a column has one scale.
    """
    by_places = places_in(report, frame)
    shown = report.columns[only]
    texts = _texts(frame, [column.name for column in shown if column.kind is Kind.TEXT])
    columns: list[pl.Expr | pl.Series] = []
    for column in shown:
        if column.kind is Kind.TEXT:
            columns.append(texts[column.name])
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


def _texts(frame: pl.DataFrame, names: list[str]) -> dict[str, pl.Expr | pl.Series]:
    """Return text columns quoted, each under its name.

    Where most rows repeat the one before, only the first of each run is looked at and quoted: the states due, due, paid
    have the runs 0, 0, 1 and the firsts due, paid, so that the quoted firsts are put in the places 0, 0, 1.
    """
    repeated: dict[str, pl.Expr | pl.Series] = {}
    if names and frame.height >= _MANY:
        runs = frame.select(pl.col(names).rle_id())
        for name, last in zip(names, runs.row(-1), strict=True):
            if last < frame.height // _SHORT_RUN:
                run = runs[name]
                firsts = frame.select(name).filter(run.ne_missing(run.shift(1)))
                repeated[name] = firsts.select(_quoted(name, _needs(firsts, [name]))).to_series().gather(run)
    others = [name for name in names if name not in repeated]
    needs = _needs(frame, others)
    return repeated | {name: _quoted(name, needs) for name in others}


def _needs(frame: pl.DataFrame, texts: list[str]) -> dict[str, bool]:
    """Return of each text column whether a cell of it may be a formula, or holds a quote; all looked at in one pass."""
    formulas = [pl.col(name).str.contains(FORMULA).any().alias(f"{name} =") for name in {*texts} - _NEVER_A_FORMULA]
    quotes = [pl.col(name).str.join("").str.contains('"', literal=True).alias(f'{name} "') for name in texts]
    return frame.select(*formulas, *quotes).to_dicts()[0] if texts else {}


def _quoted(name: str, needs: dict[str, bool]) -> pl.Expr:
    """Return a column quoted; the slow replacements run only if a cell of it needs them."""
    shown = pl.col(name)
    if needs.get(f"{name} ="):
        shown = pl.when(shown.str.contains(FORMULA)).then(pl.concat_str(pl.lit("'"), shown)).otherwise(shown)
    if needs[f'{name} "']:
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
