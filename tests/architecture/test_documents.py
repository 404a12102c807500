"""The documents say what the program does: every key, command, view and check is in them."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from flows.settings import SECTIONS, settings_class
from flows.values import BucketSetName
from schemas.seeds import numbers, thresholds

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
    missing = {
        key for key in keys(settings_class()) if not re.search(rf"[`.]{key}\b", explained) and not key.endswith("_file")
    }
    assert not missing


def test_the_ranges_and_tolerances_that_are_explained_are_those_of_the_seeds() -> None:
    explained, buckets = text("docs/configuration.md"), thresholds("delinquency_buckets")
    first, second, *_, last = buckets["AR"].split(",")
    assert f"`AR` {first}, {second} … {last}; `IFRS` {buckets['IFRS'].replace(',', ', ')}; " in explained
    assert set(get_args(BucketSetName)) == {*buckets, "OWN"}
    assert thresholds("tolerances") == {"FFIEC90": "PCT:10"}
    assert "`FFIEC90` (10 %)" in explained


def test_the_days_that_checks_speak_of_are_those_of_the_seed() -> None:
    words = {3: "three", 5: "five"}
    for check, name in (
        ("duplicate_payment", "repeated_payment_days"),
        ("active_all_satisfied", "closing_business_days"),
    ):
        days = words[numbers("windows")[name]]
        assert re.search(rf"{days} (business )?days", text(f"checks/{check}.py")), name


def written(value: object) -> str:
    """A default as the table writes it."""
    if value is None or value in ((), []):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(value)
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def defaults(model: type[BaseModel], *above: str) -> Iterator[tuple[str, object]]:
    """Every key of the sections that are no provider's, with the default the program has."""
    for name, field in model.model_fields.items():
        if name == "providers":
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from defaults(field.annotation, *above, name)
        else:
            yield ".".join((*above, name)), field.default


def test_every_default_stands_beside_its_key() -> None:
    shown: dict[str, str] = {}
    for line in text("docs/configuration.md").splitlines():
        if not line.startswith("| `"):
            continue
        keys_told, defaults_told = (re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:3])
        section = keys_told[0].rpartition(".")[0]
        for number, key in enumerate(keys_told):
            told = defaults_told[number] if number < len(defaults_told) else ""
            shown[section + key if key.startswith(".") else key] = told
    wrong = {key: shown.get(key) for key, default in defaults(settings_class()) if shown.get(key) != written(default)}
    assert not wrong


def test_every_provider_section_is_named_in_the_documents() -> None:
    for name in SECTIONS:
        assert f"[providers.{name}]" in text("docs/configuration.md")
        assert f"[providers.{name}]" in text("README.md")


def test_every_command_has_help_and_stands_in_a_document() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "flows.commands.cli", "--help"], capture_output=True, text=True, check=True
    ).stdout
    commands = re.findall(r"^│ ([a-z]+) ", shown, re.MULTILINE)
    assert {"demo", "run", "report", "breaks", "query", "sandbox", "deploy", "serve", "doctor"} <= set(commands)
    documents = text("README.md") + text("docs/operations.md") + text("docs/configuration.md")
    assert not [name for name in commands if f"planrecon {name}" not in documents and f"make {name}" not in documents]


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_no_document_points_nowhere(name: str) -> None:
    """The links of `docs` are followed where its site is built."""
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
