"""Run the `.sql` files of this room; they are data of the package and found wherever it is installed."""

from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files

import duckdb

LAYERS = ("raw", "stg", "core", "out", "meta")
"""Schemas of the warehouse, in the order data passes through them; `meta` is about the others."""


def scripts(folder: str, starts_with: str = "") -> Iterator[str]:
    """Yield the text of each script in `folder` whose name starts so, in the order of their names."""
    found = files("sql").joinpath(folder).iterdir()
    for script in sorted(found, key=lambda item: item.name):
        if script.name.startswith(starts_with) and script.name.endswith(".sql"):
            yield script.read_text(encoding="utf-8")


def query(name: str) -> str:
    """Return the text of one query of this room."""
    return files("sql").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


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


def fingerprint() -> str:
    """Return a hash of every script that makes tables or views: it changes when one of them does."""
    texts = [text for layer in LAYERS for text in scripts(layer, _ONLY.get(layer, ""))]
    return sha256("\0".join([*texts, *scripts("views")]).encode()).hexdigest()


_ONLY = {"stg": "ddl", "core": "ddl"}
"""Layers whose folder holds queries too: only these scripts of it make tables."""
