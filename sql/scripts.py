"""Read and run the files of this room, SQL and seeds; they are data of the package, found wherever it is installed."""

from functools import cache
from hashlib import sha256
from importlib.resources import files

import duckdb
import polars as pl

LAYERS = ("raw", "stg", "core", "out", "meta")
"""Schemas of the warehouse, in the order data passes through them; `meta` is about the others."""


@cache
def scripts(folder: str, starts_with: str = "") -> tuple[str, ...]:
    """Return the text of each script in `folder` whose name starts so, in the order of their names."""
    found = sorted(files("sql").joinpath(folder).iterdir(), key=lambda item: item.name)
    wanted = (script for script in found if script.name.startswith(starts_with) and script.name.endswith(".sql"))
    return tuple(script.read_text(encoding="utf-8") for script in wanted)


@cache
def statements(path: str) -> str:
    """Return the SQL text of `path` below `sql/`."""
    return (files("sql") / path).read_text(encoding="utf-8")


@cache
def seed(name: str) -> pl.DataFrame:
    """Return `seeds/<name>.csv`, facts of providers with their source: every column text, empty cells as empty text."""
    with (files("sql") / "seeds" / f"{name}.csv").open("rb") as file:
        return pl.read_csv(file.read(), infer_schema=False, empty_string_is_null=False)


def run_scripts(con: duckdb.DuckDBPyConnection, folder: str, starts_with: str = "") -> None:
    """Run each script of `folder` whose name starts so."""
    for text in scripts(folder, starts_with):
        con.execute(text)


def create_tables(con: duckdb.DuckDBPyConnection, layers: tuple[str, ...] = LAYERS) -> None:
    """Make the schemas and, for `layers`, every table that is not there yet."""
    for layer in LAYERS:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
    for layer in layers:
        run_scripts(con, layer, _ONLY.get(layer, ""))


@cache
def fingerprint() -> str:
    """Return a hash of every script that makes tables or views: it changes when one of them does."""
    texts = [text for layer in LAYERS for text in scripts(layer, _ONLY.get(layer, ""))]
    return sha256("\0".join([*texts, *scripts("views")]).encode()).hexdigest()


_ONLY = {"stg": "ddl", "core": "ddl"}
"""Layers whose folder holds queries too: only these scripts of it make tables."""
