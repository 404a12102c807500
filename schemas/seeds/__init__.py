"""Read seeds: small tables of facts in which each row says where it comes from.

Beside this file lie the thresholds that somebody laid down or that we chose; `ours` as a source means the latter.
What a person may set is in the configuration, what only a provider says is with its staging.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

import polars as pl

from schemas.table import GateError


def read(file: Traversable, columns: Sequence[str]) -> pl.DataFrame:
    """Return the rows of a seed: all columns text, empty cells empty text. All columns but the last two are its key.

    Raises:
        GateError: the file has other columns, a line with more of them, a key twice, or a row without its source.
    """
    try:
        rows = pl.read_csv(file.read_bytes(), infer_schema=False, empty_string_is_null=False)
    except pl.exceptions.PolarsError as error:
        raise GateError(f"the seed {file} is refused: it cannot be read ({error}); correct it") from None
    if rows.columns != list(columns):
        raise GateError(f"the seed {file} is refused: its columns are not {','.join(columns)}; correct its first line")
    faults = {
        f"{','.join(columns[:-2])} is there twice": rows.select(columns[:-2]).is_duplicated().any(),
        "a row does not say where it comes from": "source" in columns and "" in rows["source"],
    }
    if found := [fault for fault, is_there in faults.items() if is_there]:
        raise GateError(f"the seed {file} is refused: {'; '.join(found)}; correct it")
    return rows


@cache
def thresholds(name: str) -> Mapping[str, str]:
    """Return the values of `<name>.csv` by their names, in the order of the file."""
    rows = read(files(__name__).joinpath(f"{name}.csv"), ("name", "value", "source"))
    return MappingProxyType(dict(rows.select("name", "value").iter_rows()))


def numbers(name: str) -> dict[str, int]:
    """Return `thresholds` that are whole numbers.

    Raises:
        GateError: one is none.
    """
    values = thresholds(name)
    if wrong := [key for key, value in values.items() if not value.isdecimal()]:
        raise GateError(f"the seed {name}.csv is refused: {', '.join(wrong)}: no whole number; correct it")
    return {key: int(value) for key, value in values.items()}
