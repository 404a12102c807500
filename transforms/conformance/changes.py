"""A deviation that a provider may make, as data: what would change in a plan's rules or conventions.

The deviations themselves are in `reasons/`, one file per reason: its name (`REASON`), what a clerk
is told of it (`CAUSE`) and its `CHANGES`. How they are tried is in `counterfactuals.py`.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import ModuleType
from typing import Any

import polars as pl

ALWAYS = pl.lit(value=True)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Change:
    """One changed convention.

    Attributes:
        says: What the provider would be doing, completing "the provider's value comes out if …".
        touches: Which choices it changes; two changes of one choice are never tried together.
        rules: New values of columns of `PLAN_RULES`.
        conventions: New values of fields of `Conventions`.
        applies: Plans it can make a difference to, by their `PLAN_RULES`.
        reason: Filled in from the file's `REASON`.
    """

    says: str
    touches: frozenset[str]
    rules: Mapping[str, pl.Expr] = field(default_factory=dict)
    conventions: Mapping[str, Any] = field(default_factory=dict)
    applies: pl.Expr = ALWAYS
    reason: str = ""


@cache
def discover() -> tuple[Change, ...]:
    """Return every change of `reasons/`, by file name and in the order of its file, with its reason."""
    return tuple(replace(change, reason=module.REASON) for module in _modules() for change in module.CHANGES)


def causes() -> dict[str, str]:
    """Return for every reason of `reasons/` what a clerk is told of it in general."""
    return {module.REASON: module.CAUSE for module in _modules()}


def _modules() -> list[ModuleType]:
    package = importlib.import_module("transforms.conformance.reasons")
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"transforms.conformance.reasons.{name}") for name in names]


def shift_change(column: str, days: pl.Expr, says: str, *, applies: pl.Expr = ALWAYS) -> Change:
    """Return a change of one of the two shifts to `days`, where that is another number."""
    differs = (pl.col(column) != days).fill_null(value=False)
    return Change(says=says, touches=frozenset({column}), rules={column: days}, applies=differs & applies)


def convention(name: str, value: object, says: str, *, applies: pl.Expr = ALWAYS) -> Change:
    """Return a change of one convention to `value`; sets that have it already are left out when it is tried."""
    return Change(says=says, touches=frozenset({name}), conventions={name: value}, applies=applies)
