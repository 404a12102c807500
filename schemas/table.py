"""Turn a list of column names into a gate.

One `Table` per frame that crosses a seam: its dtypes, its empty frame and the
pandera schema that refuses anything else. What the tables are is in `core.py`
and `results.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandera.polars as pa
import polars as pl

from schemas.columns import COLUMNS, Column


@dataclass(frozen=True)
class Table:
    """A named frame contract.

    `grain` starts with "One row per". `key` columns are unique together and
    never null. `required` names columns that are nullable elsewhere and not here.
    `optional` names columns that are nullable here although not elsewhere. `sums`
    names columns that hold one amount elsewhere and many here: their bound does not apply.
    """

    name: str
    grain: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    required: frozenset[str] = field(default_factory=frozenset)
    optional: frozenset[str] = field(default_factory=frozenset)
    sums: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def dtypes(self) -> Mapping[str, pl.DataType]:
        """Polars dtype of each column, in order."""
        return {name: COLUMNS[name].dtype for name in self.columns}

    def is_nullable(self, name: str) -> bool:
        """Tell whether `name` may be null in this table."""
        if name in self.key or name in self.required:
            return False
        return name in self.optional or COLUMNS[name].nullable

    def empty(self) -> pl.DataFrame:
        """Return a frame of this shape without rows."""
        return pl.DataFrame(schema=dict(self.dtypes))

    @cached_property
    def schema(self) -> pa.DataFrameSchema:
        """The pandera schema: strict names and order-free, no coercion, unique key."""
        return self._schema(self.key)

    @cached_property
    def _schema_without_key(self) -> pa.DataFrameSchema:
        return self._schema(())

    def _schema(self, unique: tuple[str, ...]) -> pa.DataFrameSchema:
        columns = {
            name: _pandera(COLUMNS[name], nullable=self.is_nullable(name), is_sum=name in self.sums)
            for name in self.columns
        }
        return pa.DataFrameSchema(columns, strict=True, unique=list(unique), name=self.name)

    def gate(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` in column order, or raise pandera's `SchemaErrors` naming all faults.

        The frame is eager on purpose: a lazy one would be checked for names and types only.
        """
        # Rows in the order of their key prove it unique at a tenth of the cost of hashing it.
        schema = self._schema_without_key if _rises(frame, self.key) else self.schema
        return schema.validate(frame, lazy=True).select(self.columns)


def _rises(frame: pl.DataFrame, key: tuple[str, ...]) -> bool:
    """Tell whether every row's key is greater than the one before; false where a key is missing or null."""
    if not key or not set(key) <= set(frame.columns) or frame.select(pl.any_horizontal(pl.col(key).has_nulls())).item():
        return False
    rises = pl.lit(value=False)
    for name in reversed(key):
        column = pl.col(name)
        rises = (column > column.shift(1)) | ((column == column.shift(1)) & rises)
    return bool(frame.select(rises.fill_null(value=True).all()).item())


def _pandera(column: Column, *, nullable: bool, is_sum: bool) -> pa.Column:
    checks = []
    if column.at_least is not None:
        checks.append(pa.Check.ge(column.at_least))
    if column.at_most is not None and not is_sum:
        checks.append(pa.Check.le(column.at_most))
    if column.values:
        checks.append(pa.Check.isin(list(column.values)))
    return pa.Column(column.dtype, checks=checks, nullable=nullable)
