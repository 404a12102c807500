"""A command imports what it works with: nobody waits for what only others need."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OF_OTHERS = {
    "prefect",
    "httpx",
    "httpcore",
    "stamina",
    "pyrate_limiter",
    "starlette",
    "uvicorn",
    "pandera",
    "distributed",
}
IN_ORDER = {
    "flows.commands.cli": OF_OTHERS | {"polars", "duckdb", "pydantic", "msgspec", "jinja2", "xlsxwriter"},
    "flows.commands.ask": OF_OTHERS | {"jinja2", "xlsxwriter"},
    "flows.commands.run": OF_OTHERS,
}
"""Module with the work of a help page, of `query` and of `report`, and what must not be imported after it and those before."""


def test_neither_help_nor_a_query_nor_a_report_imports_what_only_other_commands_need():
    source = "import importlib, json, sys\nfor name in sys.argv[1:]: importlib.import_module(name); print(json.dumps([*sys.modules]))"
    child = [sys.executable, "-c", source, *IN_ORDER]
    told = subprocess.run(child, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    found = {name: IN_ORDER[name].intersection(json.loads(line)) for name, line in zip(IN_ORDER, told, strict=True)}
    assert not any(found.values()), found
