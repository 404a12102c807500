"""One thing a provider may do otherwise, as data: what would change in a plan's rules or conventions.

The things themselves are in `reasons/`, one file per reason; a new one is a new file
with its `CHANGES`. How they are tried is in `counterfactuals.py`.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
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


def discover() -> tuple[Change, ...]:
    """Return every change of `reasons/`, by file name and in the order of its file, with its reason."""
    package = importlib.import_module("transforms.reasons")
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    found = []
    for name in names:
        module = importlib.import_module(f"transforms.reasons.{name}")
        found += [_named(change, module.REASON) for change in module.CHANGES]
    return tuple(found)


def _named(change: Change, reason: str) -> Change:
    return Change(
        says=change.says,
        touches=change.touches,
        rules=change.rules,
        conventions=change.conventions,
        applies=change.applies,
        reason=reason,
    )


def shift_change(column: str, days: pl.Expr, says: str, *, applies: pl.Expr = ALWAYS) -> Change:
    """Return a change of one of the two shifts to `days`, where that is another number."""
    differs = (pl.col(column) != days).fill_null(value=False)
    return Change(says=says, touches=frozenset({column}), rules={column: days}, applies=differs & applies)


def convention(name: str, value: object, says: str, *, applies: pl.Expr = ALWAYS) -> Change:
    """Return a change of one convention to `value`; sets that have it already are left out when it is tried."""
    return Change(says=says, touches=frozenset({name}), conventions={name: value}, applies=applies)
