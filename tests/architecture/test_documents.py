"""The documents say what the program does: every key, command, view and check is in them."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from flows.settings import Providers, Settings

ROOT = Path(__file__).parents[2]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        kinds = (field.annotation, *getattr(field.annotation, "__args__", ()))
        sections = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if sections:
            for section in sections:
                yield from keys(section)
        else:
            yield name


def test_every_key_of_the_configuration_is_explained() -> None:
    explained = text("docs/configuration.md")
    missing = {key for key in keys(Settings) if not re.search(rf"[`.]{key}\b", explained) and not key.endswith("_file")}
    assert not missing


def test_every_provider_section_is_named_in_the_documents() -> None:
    for name in Providers.model_fields:
        assert f"[providers.{name}]" in text("docs/configuration.md")
        assert f"[providers.{name}]" in text("README.md")


def test_every_command_has_help_and_stands_in_a_document() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "flows.cli", "--help"], capture_output=True, text=True, check=True
    ).stdout
    commands = re.findall(r"^│ ([a-z]+) ", shown, re.MULTILINE)
    assert {"demo", "run", "report", "breaks", "query", "sandbox", "deploy", "serve", "doctor"} <= set(commands)
    documents = text("README.md") + text("docs/operations.md") + text("docs/configuration.md")
    assert not [name for name in commands if f"planrecon {name}" not in documents and f"make {name}" not in documents]


@pytest.mark.parametrize(
    "name", ["README.md", "docs/configuration.md", "docs/operations.md", "docs/glossary.md", "docs/extending.md"]
)
def test_no_document_points_nowhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", text(name)):
        assert (ROOT / name).parent.joinpath(target).exists(), target


def test_no_tracked_file_names_a_package_index_or_a_path_of_one_machine() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    forbidden = re.compile(
        "|".join(
            ["pypi" + r"\.org", "files" + r"\.pythonhosted", "/ro" + "ot/", "/wo" + "rk/main", "regis" + "try.npm"]
        )
    )
    found = [
        f"{name}:{number}"
        for name in files
        if (ROOT / name).is_file()
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if forbidden.search(line)
    ]
    assert not found
