"""Loads the settings: `planrecon.toml`, overridden by `PLANRECON_…` variables; unknown keys are refused.

The file and the environment are read here and nowhere else. Relative paths start at the
folder of the file, or at the working directory where there is none.
"""

import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from flows import tracebacks
from flows.complaints import complaints, no_json, refuse_unknown_variables
from flows.errors import SettingsError
from flows.given import read_text
from flows.settings import Settings, settings_class

ON = ("True", "true", "1")
"""What pandera takes for on; everything else switches it off."""
DEFAULT_FILE = Path("planrecon.toml")
Model = TypeVar("Model", bound=BaseModel)


def chosen_file(file: Path | None = None) -> Path | None:
    """Return the configuration file to read: the one asked for, else `planrecon.toml` if there is one; null is the environment alone."""
    return file or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)


def beside(file: Path | None, path: Path) -> Path:
    """Return where a path of the configuration leads: from the folder of its file, whatever the working directory is.

    The file may be a link: the folder is the one it is named in, not the one the link leads to.
    """
    return file.absolute().parent / path if file is not None else path


def load(file: Path | None = None, **explicit: Any) -> Settings:
    """Return the settings of `file`, else of `planrecon.toml` if there is one, with the environment over it.

    Every path in them is placed: see `beside`.

    Raises:
        SettingsError: the file is missing or no TOML, a key is unknown or a value is wrong;
            the message names the key, the value unless it is a secret, and what to do.
    """
    chosen = chosen_file(file)
    content = _content(chosen) if chosen is not None else {}
    refuse_unknown_variables(os.environ)
    bound = settings_class()
    bound.content = content
    try:
        settings = bound(**explicit)
    except ValidationError as error:
        raise SettingsError("; ".join(complaints(error, chosen, os.environ))) from None
    except ValueError as error:
        raise SettingsError(no_json(error, os.environ)) from None
    _refuse_missing_ranges(settings)
    placed = _placed(settings, chosen)
    tracebacks.keep_below(placed.warehouse.state_dir)
    return placed


def require_validation() -> None:
    """Refuse to compute where the environment switches validation off.

    Our gates hold all the same; but who set the variable wants something that no run gives, and should know.

    Raises:
        SettingsError: names the variable and its value.
    """
    enabled, depth = os.environ.get("PANDERA_VALIDATION_ENABLED"), os.environ.get("PANDERA_VALIDATION_DEPTH")
    if enabled is not None and enabled not in ON:
        raise SettingsError(f"PANDERA_VALIDATION_ENABLED is {enabled!r}, which switches validation off; unset it")
    if depth not in {None, "SCHEMA_AND_DATA"}:
        raise SettingsError(f"PANDERA_VALIDATION_DEPTH is {depth!r}, which leaves part of the validation out; unset it")


def _content(file: Path) -> dict[str, Any]:
    """Return what the file says."""
    if file.is_dir():
        raise SettingsError(f"configuration file {str(file)!r} is a folder; give the file in it with --config")
    if not file.exists():
        raise SettingsError(f"configuration file {str(file)!r} does not exist; give its path with --config")
    text = read_text(file, error=SettingsError, key="configuration file", is_marked=False)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"configuration file {str(file)!r} is no TOML: {error}; correct that line") from None


def _placed(section: Model, file: Path | None) -> Model:
    """Return the section with each of its paths where it leads, defaults and those of the environment too."""
    changed: dict[str, Any] = {}
    for name, value in section:
        if isinstance(value, Path):
            changed[name] = beside(file, value)
        elif isinstance(value, BaseModel):
            changed[name] = _placed(value, file)
    return section.model_copy(update=changed)


def _refuse_missing_ranges(settings: Settings) -> None:
    sections = {f"providers.{name}": section.bucket_set for name, section in settings.providers.configured().items()}
    wanting = [name for name, word in {"run": settings.run.bucket_set, **sections}.items() if word == "OWN"]
    if wanting and not settings.buckets.ranges:
        raise SettingsError(
            f"key '{wanting[0]}.bucket_set' is 'OWN', and there is no bucket set of your own; "
            "add [buckets] with ranges = [[0, 0], [1, 30], [31]]"
        )
