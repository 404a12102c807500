"""What has to be the same on this machine and on the workers, so that the same inputs give the same bytes."""

import importlib.metadata
import platform
from collections.abc import Mapping

from flows.errors import SettingsError

ALIKE = ("planrecon", "polars", "holidays")
"""Distributions that decide about figures."""

Versions = Mapping[str, str]


def versions() -> Versions:
    """Return the version of each of `ALIKE` and of Python here."""
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in ALIKE}}


def require_alike(here: Versions, wanted: Versions, *, where: str) -> None:
    """Refuse a worker that would compute with something else.

    Raises:
        SettingsError: names the worker, what differs, and what to do.
    """
    differing = [
        f"{name} {here.get(name)} instead of {wanted[name]}" for name in wanted if here.get(name) != wanted[name]
    ]
    if differing:
        raise SettingsError(
            f"the Dask worker {where} has {', '.join(differing)}; install on every worker what is installed here, or take "
            "scale.dask_address out of the configuration"
        )
