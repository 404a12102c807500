"""The text of a configuration: what was answered, every other described key as a comment with its default, and what each means."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from flows.settings import SECTIONS, ProviderSettings, Settings

WIDTH = 110
HEAD = """\
# Configuration of planrecon. Every key, and those that are not here: docs/configuration.md.
# Relative paths start at the folder of this file. Secrets do not belong into it.
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """Keys that were asked for, by section; of providers by their name."""

    sections: Mapping[str, Mapping[str, str]]
    providers: Mapping[str, Mapping[str, str]]


def text_of(answers: Answers) -> str:
    """Return the configuration as TOML."""
    lines = [HEAD]
    for name, known in Settings.model_fields.items():
        model = known.annotation
        if isinstance(model, type) and issubclass(model, BaseModel) and any(_described(model)):
            lines += _table(name, model, answers.sections.get(name, {}))
    for name, keys in answers.providers.items():
        lines += _table(f"providers.{name}", SECTIONS[name], keys)
        lines += [f"# secrets: set {SECTIONS[name].ways_to_sign_in()}", ""]
    return "\n".join(lines)


def meaning(model: type[BaseModel], key: str) -> str:
    """Return what a key means; empty where that is told in the documents alone."""
    own = model.model_fields[key].description
    shared = ProviderSettings.model_fields.get(key) if issubclass(model, ProviderSettings) else None
    return own or (shared.description if shared else None) or ""


def _described(model: type[BaseModel]) -> Iterator[str]:
    return (key for key in model.model_fields if meaning(model, key))


def _table(name: str, model: type[BaseModel], given: Mapping[str, str]) -> Iterator[str]:
    yield f"# {(model.__doc__ or '').partition(chr(10))[0]}"
    yield f"[{name}]"
    for key in dict.fromkeys([*_described(model), *given]):
        yield from textwrap.wrap(
            meaning(model, key), WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False
        )
        known = model.model_fields[key]
        if key in given:
            yield f"{key} = {_value(given[key])}"
        elif not known.is_required() and known.default is not None:
            yield f"# {key} = {_value(known.default)}"
    yield ""


def _value(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_value(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
