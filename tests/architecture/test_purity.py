"""Below `flows` nothing asks the clock or reads the environment; computation knows no provider by name."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BELOW_FLOWS = ("schemas", "transforms", "checks", "providers", "sql", "reports", "writes")
NAMELESS = ("transforms", "checks", "reports", "schemas", "writes")
CLOCK = {
    ("date", "today"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("time", "time"),
    ("time", "localtime"),
}
ENVIRONMENT = {("os", "environ"), ("os", "getenv")}


def files(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


def dotted(node: ast.Attribute) -> tuple[str, str] | None:
    value = node.value
    if isinstance(value, ast.Name):
        return value.id, node.attr
    if isinstance(value, ast.Attribute):
        return value.attr, node.attr
    return None


@pytest.mark.parametrize("forbidden", [CLOCK, ENVIRONMENT], ids=["clock", "environment"])
def test_nothing_below_flows_asks_the_clock_or_the_environment(forbidden: set[tuple[str, str]]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {'.'.join(dotted(node) or ())}"
        for path in files(*BELOW_FLOWS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and dotted(node) in forbidden
    ]
    assert not found, "\n".join(found)


def test_no_computation_check_or_report_names_a_provider() -> None:
    name = re.compile(r"\b(payt|totality|payiq)\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for room in NAMELESS
        for path in sorted((ROOT / room).rglob("*"))
        if path.suffix in {".py", ".html", ".css", ".j2"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if name.search(line)
    ]
    assert not found, "\n".join(found)


SAYS_PROVIDERS = {
    "flows/settings.py": "the sections",
    "flows/commands/cli.py": "help",
    "flows/commands/cli_setup.py": "help",
    "flows/commands/writes/cli_plan.py": "help, and the only one that has proposals as the default",
    "flows/writing.py": "the same default",
    "flows/commands/demo.py": "the three sandboxes it starts",
}
"""Files of the upper rooms that may name a provider, and why; everything else asks the registry."""


def test_what_only_a_provider_knows_stands_in_its_folder() -> None:
    name = re.compile("payt|totality|payiq", re.IGNORECASE)
    own = [path for path in (ROOT / "sql").rglob("*.sql") if (ROOT / "sql/stg") not in path.parents]
    saying = {
        str(path.relative_to(ROOT))
        for path in [*files("flows", "sql"), *own]
        if name.search(path.read_text(encoding="utf-8"))
    }
    assert saying == SAYS_PROVIDERS.keys()


def test_no_float_is_cast_in_the_computation() -> None:
    """Money is integers; a Float64 anywhere in these rooms would be the first step away from that."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in files("transforms", "checks")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in {"Float64", "Float32"})
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    ]
    assert not found, "\n".join(found)


def test_every_module_says_what_it_is_for() -> None:
    rooms = (*BELOW_FLOWS, "sandbox", "flows")
    bare = [
        str(path.relative_to(ROOT))
        for path in files(*rooms)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not bare


def test_only_the_configuration_and_the_command_line_read_the_environment_in_flows() -> None:
    readers = {
        path.name
        for path in files("flows")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and dotted(node) in ENVIRONMENT
    }
    assert readers <= {"configuration.py", "cli.py", "demo.py", "orchestrator.py", "doctor.py"}


def test_only_one_module_asks_the_time() -> None:
    askers = {
        path.name
        for path in files("flows")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and dotted(node) in CLOCK
    }
    assert askers == {"clock.py"}
