"""Tell pandera what a table must be, so that it names every fault of a frame that is not."""

from collections import Counter

import pandera.polars as pa
import polars as pl
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaErrors

from schemas.columns import COLUMNS, Column
from schemas.table import Table

_TWICE = "multiple_fields_uniqueness"
"""Pandera's word for a key that stands twice; it does not say which."""


def faults(table: Table, frame: pl.DataFrame) -> list[str]:
    """Return every fault of `frame`, each with its column and the number of its rows; no value: it may be a person's.

    Whatever the environment tells pandera, everything is looked at.
    """
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            schema_of(table, frame).validate(frame, lazy=True)
        except SchemaErrors as refused:
            found = refused.failure_cases.select("column", "check").rows()
        else:
            return []
    key = ", ".join(table.key)
    return [
        f"{column or 'the frame'}: {f'{check} of {key}' if check == _TWICE else check} ({rows} time{'s' * (rows > 1)})"
        for (column, check), rows in sorted(Counter((str(one or ""), str(two)) for one, two in found).items())
    ]


def schema_of(table: Table, frame: pl.DataFrame) -> pa.DataFrameSchema:
    """Return the schema of `table`: strict names and order-free, no coercion, unique key as far as `frame` has it."""
    columns = {
        name: _column(COLUMNS[name], nullable=table.is_nullable(name), is_sum=name in table.sums)
        for name in table.columns
    }
    unique = [name for name in table.key if name in frame.columns]
    return pa.DataFrameSchema(columns, strict=True, unique=unique, name=table.name)


def _column(column: Column, *, nullable: bool, is_sum: bool) -> pa.Column:
    checks = []
    if column.at_least is not None:
        checks.append(pa.Check.ge(column.at_least))
    if column.at_most is not None and not is_sum:
        checks.append(pa.Check.le(column.at_most))
    if column.values:
        checks.append(pa.Check.isin(list(column.values)))
    return pa.Column(column.dtype, checks=checks, nullable=nullable)
