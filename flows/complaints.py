"""What is wrong with a configuration, in words: the key, where it is set, its value unless it is a secret, what to do."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from flows.errors import SettingsError
from flows.settings import PREFIX, SECTIONS, Settings, settings_class

SHOWN = 80
"""Characters of a value that a message repeats at most."""


def refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """Refuse a variable that begins as ours do and names no section.

    Raises:
        SettingsError: names the variable and the nearest section.
    """
    known = set(Settings.model_fields)
    for name in sorted(environment):
        if not name.upper().startswith(PREFIX):
            continue
        section = name[len(PREFIX) :].lower().split("__")[0]
        if section not in known:
            raise SettingsError(f"environment variable {name} sets no known key{_nearest(section, known)}")


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.4)
    return f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(sorted(known))}"


def complaints(error: ValidationError, file: Path | None, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield one sentence for each fault of the settings that `file` and the environment give."""
    for fault in error.errors(include_url=False, include_context=False):
        path = [str(part) for part in fault["loc"]]
        key, where = ".".join(path), _source(path, file, environment)
        if fault["type"] == "extra_forbidden":
            yield f"unknown key {key!r} in {where}{_nearest(path[-1], _keys_at(path[:-1]))}"
        elif fault["type"] == "missing":
            yield f"key {key!r} is missing in {where}; add it"
        else:
            said = fault["msg"].removeprefix("Value error, ")
            shown = _shown(path, fault["input"])
            yield f"key {key!r} in {where}: {said}{f'; it is {shown}' if shown and shown not in said else ''}"


def _source(path: list[str], file: Path | None, environment: Mapping[str, str]) -> str:
    """Return the variable that sets a key or a table it is in, else the file."""
    variables = {name.upper(): name for name in environment}
    for length in range(len(path), 0, -1):
        name = PREFIX + "__".join(path[:length]).upper()
        if name in variables:
            return f"variable {variables[name]}"
    return str(file) if file is not None else "the environment"


def _shown(path: list[str], value: object) -> str:
    """Return a value as a message may show it: short, of one line, and nothing that is or may hold a secret."""
    secrets = {name for section in SECTIONS.values() for name in section.SECRETS}
    if secrets & set(path) or _keys_at(path) or not isinstance(value, str | int | float | Decimal | date):
        return ""
    return repr(value if isinstance(value, str | int | float) else str(value))[:SHOWN]


def _keys_at(path: list[str]) -> set[str]:
    """Return the keys of the table that a path leads to; none where it leads to a value."""
    table: Any = settings_class()
    for key in path:
        field = getattr(table, "model_fields", {}).get(key)
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        table = next((kind for kind in kinds if hasattr(kind, "model_fields")), None)
    return set(getattr(table, "model_fields", ()))


def no_json(error: ValueError, environment: Mapping[str, str]) -> str:
    """Return which variable should hold a table or a list, and its value unless it holds a whole section."""
    cause = error.__cause__
    if not isinstance(cause, json.JSONDecodeError):
        return f"the environment cannot be read: {error}"
    names = [name for name, value in environment.items() if name.upper().startswith(PREFIX) and value == cause.doc]
    if not names:
        return f"the environment cannot be read: {error}"
    path = names[0][len(PREFIX) :].lower().split("__")
    shown = "" if _keys_at(path) else f" is {cause.doc[:SHOWN]!r}, which"
    return f'variable {names[0]}{shown} is no JSON ({cause.msg}); write a table as {{"key": "value"}}, a list as [1, 2]'
