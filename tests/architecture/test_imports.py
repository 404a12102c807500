"""Dependencies point one way, also for names that only type checkers see."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {"schemas", "transforms", "checks", "providers", "sql", "reports", "sandbox", "writes", "flows"}

OURS = {
    "schemas": set(),
    "transforms": {"schemas"},
    "checks": {"schemas"},
    "providers": set(),
    "sql": {"schemas"},
    "reports": {"schemas"},
    "sandbox": set(),
    "writes": {"schemas", "providers", "sql"},
    "flows": ROOMS,
}
THEIRS = {
    "schemas": {"polars", "pandera"},
    "transforms": {"polars", "holidays"},
    "checks": {"polars", "holidays"},
    "providers": {"httpx", "httpcore", "msgspec", "stamina", "pyrate_limiter"},
    "sql": {"duckdb", "polars", "pyarrow", "msgspec"},  # the records beside the warehouse are read by type
    "reports": {"polars", "msgspec", "jinja2", "markupsafe", "xlsxwriter", "rich"},
    "sandbox": {"starlette", "uvicorn"},
    "writes": {"msgspec"},
    "flows": {
        "prefect",
        "prefect_dask",
        "distributed",  # what the extra brings: the cluster, and files wherever its workers reach them
        "fsspec",
        "polars",
        "duckdb",
        "pydantic",
        "pydantic_settings",
        "cyclopts",
        "yaml",
        "python_calamine",
    },
}
ONE_MODULE = {"httpx": "providers/http/carrier.py", "httpcore": "providers/http/network.py"}
"""Libraries that exactly one module may import, so that a swap is one file."""


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each module that `path` imports by its full name, wherever in the file it does."""
    yield from named(path.read_text(encoding="utf-8"), list(path.relative_to(ROOT).parts[:-1]))


def named(source: str, package: list[str]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, node.module or ""]).strip("."), node.lineno


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_only_what_its_row_of_the_table_allows(room: str) -> None:
    allowed = OURS[room] | THEIRS[room] | {room}
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sources(room)
        for name, line in imported(path)
        if (top := name.split(".")[0]) not in allowed and top not in sys.stdlib_module_names
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("library", sorted(ONE_MODULE))
def test_a_library_we_may_have_to_swap_is_imported_by_one_module(library: str) -> None:
    users = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in sources(room)
        for name, _ in imported(path)
        if name.split(".")[0] == library
    }
    assert users == {ONE_MODULE[library]}


def test_the_table_of_walls_names_every_room() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert rooms == ROOMS
    assert set(OURS) == set(THEIRS) == ROOMS


def test_an_import_hidden_from_the_interpreter_is_seen() -> None:
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import duckdb\ndef f():\n    from ..sql import images\n"
    assert [name for name, _ in named(source, ["transforms", "deep"])] == ["typing", "duckdb", "transforms.sql"]
