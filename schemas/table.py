"""Turn a list of column names into a gate.

One `Table` per frame that crosses a seam: its dtypes, its empty frame and the
pandera schema that refuses anything else, and what puts a frame in the order of a key. What the tables are is in `core.py`
and `results.py`, how pandera is told of them in `refusal.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, pairwise

import polars as pl

from schemas.columns import COLUMNS

_FEW_RUNS = 64
"""Runs that are put one behind the other; more are taken row by row."""


class GateError(Exception):
    """A frame is not what its table promises; the message names the table, each faulty column and how many rows, no value."""

    code = "contract"


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
        """Return the Polars dtype of each column, in order."""
        return {name: COLUMNS[name].dtype for name in self.columns}

    def is_nullable(self, name: str) -> bool:
        """Tell whether `name` may be null in this table."""
        if name in self.key or name in self.required:
            return False
        return name in self.optional or COLUMNS[name].nullable

    def empty(self) -> pl.DataFrame:
        """Return a frame of this shape without rows."""
        return self._without_rows.clone()

    @cached_property
    def _without_rows(self) -> pl.DataFrame:
        return pl.DataFrame(schema=dict(self.dtypes))

    def gate(self, frame: pl.DataFrame, *, changed: Sequence[str] = ()) -> pl.DataFrame:
        """Return `frame` in column order, or refuse it; no setting of pandera's opens a gate.

        The frame is eager on purpose: a lazy one would be checked for names and types only.

        Args:
            frame: Rows of the table.
            changed: Columns, none of the key, in which alone the frame differs from one that passed: only they are looked at.

        Raises:
            GateError: names every fault at once.
        """
        if not (self._holds(frame, changed) if changed else self._is_sound(frame)):
            from schemas.refusal import faults  # noqa: PLC0415 - slow import; only used to report errors

            said = "; ".join(faults(self, frame)) or "it is not sound"
            raise GateError(f"the table {self.name} is refused: {said}; report it with the command")
        return frame if frame.columns == list(self.columns) else frame.select(self.columns)

    def _is_sound(self, frame: pl.DataFrame) -> bool:
        """Tell in one pass over all columns what pandera takes several for, of each."""
        if dict(frame.schema) != dict(self.dtypes):
            return False
        rises, *holds = frame.select(self._all_conditions).row(0)
        # Rows in the order of their key prove it unique at a tenth of the cost of hashing it.
        return all(holds) and (rises or not frame.select(self.key).is_duplicated().any())

    def _holds(self, frame: pl.DataFrame, names: Sequence[str]) -> bool:
        """Tell the same of these columns alone."""
        holds = [
            condition.alias(str(at)) for at, condition in enumerate(chain.from_iterable(map(self._conditions, names)))
        ]
        return dict(frame.schema) == dict(self.dtypes) and all(chain.from_iterable(frame.select(holds).rows()))

    @cached_property
    def _all_conditions(self) -> list[pl.Expr]:
        found = (condition for name in self.columns for condition in self._conditions(name))
        return [condition.alias(str(at)) for at, condition in enumerate((_rises(self.key), *found))]

    def _conditions(self, name: str) -> Iterator[pl.Expr]:
        """Yield what must be true of one column, each as one value; nulls are no fault of a bound or a word."""
        column, values = COLUMNS[name], pl.col(name)
        if not self.is_nullable(name):
            yield ~values.has_nulls()
        if column.at_least is not None:
            yield (values.min() >= column.at_least).fill_null(value=True)
        if column.at_most is not None and name not in self.sums:
            yield (values.max() <= column.at_most).fill_null(value=True)
        if column.values:
            yield values.drop_nulls().is_in(column.values).all()


def sorted_by(frame: pl.DataFrame, *key: str) -> pl.DataFrame:
    """Return `frame` in rising order of `key`, which is never null; one that stands in it already, as most do, costs no sort and no room.

    The threads of a database return runs of rows that lie together. They are put one behind the other, which costs a
    third of taking row by row:

        keys      4 5 6 | 1 2 3 | 7 8 9
        order     3 4 5 | 0 1 2 | 6 7 8     the rows in order of their keys: a run begins where a row does not follow
    """
    first, *others = key
    if others:
        return frame if frame.select(_rises(key)).item() else frame.sort(key)
    keys = frame[first]
    if keys.is_sorted():
        return frame
    order = keys.arg_sort().cast(pl.Int64)
    starts = (order.diff().fill_null(0) != 1).arg_true()
    if len(starts) > _FEW_RUNS:
        return frame[order]
    runs = pairwise([*starts, frame.height])
    return pl.concat([frame.slice(order[start], end - start) for start, end in runs], rechunk=True)


def _rises(key: tuple[str, ...]) -> pl.Expr:
    """Tell whether every row's key, none of it null, is greater than the one before; true without a key."""
    # From the last key to the first: a row is greater than the one before if this key is, or is equal and the rest is.
    rises = pl.lit(value=not key)
    for name in reversed(key):
        column = pl.col(name)
        rises = (column > column.shift(1)) | ((column == column.shift(1)) & rises)
    return rises.fill_null(value=True).all()
