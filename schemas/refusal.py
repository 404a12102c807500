"""Tell pandera what a table must be, so that it names every fault of a frame that is not."""

import pandera.polars as pa
import polars as pl

from schemas.columns import COLUMNS, Column
from schemas.table import Table


def validate(table: Table, frame: pl.DataFrame) -> None:
    """Raise pandera's `SchemaErrors` with every fault of `frame`; do nothing if there is none."""
    schema_of(table, frame).validate(frame, lazy=True)


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
