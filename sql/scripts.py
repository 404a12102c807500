"""Read and run the files of this room, SQL and seeds; they are data of the package, found wherever it is installed.

What is made from the shapes of the reports runs like a script of its folder.
"""

import re
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import duckdb
import polars as pl

from schemas.columns import COLUMNS
from schemas.reports import REPORTS
from schemas.seeds import read
from sql import report_tables

STAGING: list[Traversable] = [files("sql") / "stg"]
"""Folders that hold one folder per provider with its staging; a provider from elsewhere adds its own."""

SEEDS = {
    "page_entities": ("page_entity", "entity", "child_entity", "sweep", "key_prefix", "rows", "child_rows"),
    "status_classes": ("entity", "status", "class", "source"),
    "rule_words": ("input", "word", "ours", "source"),
}
"""The seeds a provider's staging may have, with their columns."""

LAYERS = ("raw", "stg", "core", "out", "meta")
"""Schemas of the warehouse, in the order data passes through them; `meta` is about the others."""

STORED = tuple(layer for layer in LAYERS if layer != "stg")
"""Layers with tables of their own: what is staged lasts as long as its load."""


MADE = {"out": report_tables.table, "views": report_tables.view}
"""Folders for which statements are made of each report; `out` has no others."""


@cache
def scripts(folder: str) -> tuple[str, ...]:
    """Return the text of each script of `folder`: those made of the reports, then its files in the order of their names."""
    made = [MADE[folder](report) for report in REPORTS.values()] if folder in MADE else []
    there = files("sql") / folder
    written = sorted(there.iterdir(), key=lambda item: item.name) if there.is_dir() else []
    return (*made, *(script.read_text(encoding="utf-8") for script in written if script.name.endswith(".sql")))


@cache
def view_names() -> frozenset[str]:
    """Return the names of the views that users see."""
    return frozenset(name for text in scripts("views") for name in re.findall(r"VIEW main\.(\w+)", text))


@cache
@cache
def statements(path: str) -> str:
    """Return the SQL text of `path` below `sql/`."""
    return (files("sql") / path).read_text(encoding="utf-8")


def staging_folder(provider: str) -> Traversable | None:
    """Return the folder with the provider's staging, its `.sql` files and seeds; None where no root of `STAGING` has it."""
    folders = (root.joinpath(provider) for root in STAGING)
    return next((folder for folder in folders if folder.is_dir()), None)


@cache
def seed(provider: str, name: str) -> pl.DataFrame:
    """Return `<name>.csv` of the provider's staging, facts with their source: all columns text, empty cells empty text.

    A provider that has no such file has no rows.
    """
    folder = staging_folder(provider)
    if folder is None or not folder.joinpath(f"{name}.csv").is_file():
        return pl.DataFrame(schema=dict.fromkeys(SEEDS[name], pl.String()))
    return read(folder.joinpath(f"{name}.csv"), SEEDS[name])


def run_scripts(con: duckdb.DuckDBPyConnection, folder: str) -> None:
    """Run each script of `folder`."""
    for text in scripts(folder):
        con.execute(text)


def create_tables(con: duckdb.DuckDBPyConnection, layers: tuple[str, ...] = STORED) -> None:
    """Make the schemas and, for `layers`, every table that is not there yet."""
    for layer in LAYERS:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
    for layer in layers:
        run_scripts(con, layer)


@cache
def fingerprint() -> str:
    """Return a hash of all that makes tables or views, and of what columns mean: it changes when any of it does."""
    texts = [text for folder in (*STORED, "views") for text in scripts(folder)]
    texts += [statements("queries/plan_changes.sql"), *(column.comment() for column in COLUMNS.values())]
    texts.append(statements("queries/plan_changes.sql"))  # what one of the views reads
    return sha256("\0".join(texts).encode()).hexdigest()
