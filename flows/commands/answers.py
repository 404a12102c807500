"""Print a frame as the answer of a command: table, CSV or JSON, harmless in a terminal and in a spreadsheet."""

import json
import math
import re
import sys
from decimal import Decimal
from typing import Any

import polars as pl

from reports.cells import FORMULA
from reports.texts import exact, harmless

_FORMULA = re.compile(FORMULA)


def write(frame: pl.DataFrame, style: str, *, longest: int = 80, raw: bool = False) -> None:
    """Print a frame to standard output as a table, as CSV or as a JSON list of objects.

    A table shows no more than `longest` characters of a text. What hides, turns or breaks a line is shown as its code
    point, and a cell of a CSV that a spreadsheet might run begins with an apostrophe; `raw` leaves all as it is. JSON
    says the same characters by their escapes, so it is exact either way, and null for numbers it has no word for.
    """
    if style == "json":
        sys.stdout.write(
            exact(json.dumps(_sayable(frame.to_dicts()), default=_text, ensure_ascii=False, indent=1)) + "\n"
        )
        return
    shown = frame if raw else _shown(frame, guarded=style == "csv")
    if style == "csv":
        sys.stdout.write(shown.write_csv())
        return
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=10_000,
        fmt_str_lengths=longest,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_formatting="NOTHING",
        set_tbl_cell_numeric_alignment="RIGHT",
    ):
        sys.stdout.write(f"{shown}\n" if frame.height else "nothing found\n")


def _shown(frame: pl.DataFrame, *, guarded: bool) -> pl.DataFrame:
    """Return texts and names of columns as a person may see them; numbers, dates and truth values stay."""

    def told(text: str) -> str:
        return f"'{harmless(text)}" if guarded and _FORMULA.match(text) else harmless(text)

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
