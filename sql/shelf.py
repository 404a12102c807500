"""Read the seeds: small tables of provider facts, every row with its source."""

from functools import cache
from importlib.resources import files

import polars as pl


@cache
def seed(name: str) -> pl.DataFrame:
    """Return `seeds/<name>.csv`, every column text, empty cells as empty text."""
    with (files("sql") / "seeds" / f"{name}.csv").open("rb") as file:
        return pl.read_csv(file.read(), infer_schema=False, empty_string_is_null=False)


@cache
def statements(path: str) -> str:
    """Return the SQL text of `path` below `sql/`."""
    return (files("sql") / path).read_text(encoding="utf-8")
